__version__ = "0.2.0"
from importlib import import_module

# Names are imported from their modules when they are first used, so that `import seka` costs nothing
_homes = {name: home for home,names in {
    'core': 'DataError ModelError SekaError SpanError SteeringError data_path',
    'models': 'load',
    'layouts': 'capture geometry sites',
    'spans': 'MarkWarning Prompt from_utf16 highlight',
    'edits': 'Edit Heads Plan layer_numbers',
    'place': 'expanded',
    'backends.hf': 'Comparison compare generate next_logprobs open_plan prefill',
    'backends.attention': 'attention_mass',
    'backends.vllm': 'vllm_config vllm_request',
    'contrast': 'KeyStats learn pairs',
    'methods.base': 'Planned Steerer method register registered',
    'methods.seka': 'SEKA',
    'methods.adaseka': 'AdaSEKA experts merge',
    'queries': 'QueryStats learn_queries',
    'methods.key_bias': 'KeyBias',
    'methods.echo': 'Echo learn_echo',
    'methods.prism': 'Prism',
    'methods.logit_bias': 'PASTA AttentionBias',
    'methods.logits': 'SPA SPALogits',
    'methods.spotlight': 'Spotlight SplitSoftmax',
    'methods.v_steer': 'VSteer',
    'methods.controls': 'KeyScale RandomSubspace',
    'auto_marks': 'mark',
    'methods.plausible': 'Fading FirstTokens Plausible',
    'tasks': 'Chat Metric Query Task register_task',
    'benchmarks': 'bios conflicts counterfact documents instructions pronouns traps',
    'harm': 'damage',
    'dial': 'learn_dials',
    'collateral': 'AnswerTask',
    'jobs': 'answers extraction long_marks needles rules',
    'follow': 'ifeval instructions_whole',
    'results': 'Results',
    'evaluation': 'evaluate',
    'calibration': 'calibrate',
    'hub': 'SteeredDecoding SteeredPipeline',
}.items() for name in names.split()}
__all__ = [*_homes]

def __getattr__(name):
    if name not in _homes:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return globals().setdefault(name, getattr(_module(_homes[name]), name))

def _module(home):
    try:
        return import_module(f'{__name__}.{home}')
    except ModuleNotFoundError as e:
        from .core import MissingExtra, missing_extra
        said = missing_extra(e)
        if said is None:
            raise
        raise MissingExtra(said) from e

def __dir__(): return sorted({*globals(), *_homes})
