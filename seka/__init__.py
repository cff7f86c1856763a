__version__ = "0.1.0"
import sys
from importlib import import_module
from types import ModuleType

# Names are imported from their modules when they are first used, so that `import seka` costs nothing
_homes = {n: home for home,names in dict(
    models='DataError ModelError SekaError capture data_path geometry load sites',
    spans='Prompt SpanError highlight',
    learn='KeyStats learn pairs',
    steering='SEKA Comparison Steerer SteeringError compare generate prefill',
    adaptive='AdaSEKA coefficients experts merge',
    key_bias='KeyBias QueryStats learn_queries',
    rivals='PASTA SPA AttentionBias KeyScale Prism RandomSubspace SPALogits attention_mass method',
    tasks='Task bios conflicts counterfact documents instructions pronouns traps',
    evaluate='Results damage evaluate',
).items() for n in names.split()}
__all__ = [*_homes]

def __getattr__(name):
    if name not in _homes: raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return globals().setdefault(name, getattr(import_module(f'{__name__}.{_homes[name]}'), name))

def __dir__(): return sorted({*globals(), *_homes})

class _Package(ModuleType):
    def __setattr__(self, name, value):
        if name in _homes and isinstance(value, ModuleType): return            # the module seka.learn must not hide the function of that name
        super().__setattr__(name, value)
sys.modules[__name__].__class__ = _Package
