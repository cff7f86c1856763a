"All settings are in settings.ini; edit there, not here."
import shlex
from configparser import ConfigParser

import setuptools

config = ConfigParser(delimiters=['='])
config.read('settings.ini', encoding='utf-8')
cfg = config['DEFAULT']
needed = ('version description keywords author author_email lib_name lib_path user license status min_python '
          'audience language')
for o in needed.split():
    assert o in cfg, f'missing expected setting: {o}'

statuses = ['0 - Pre-Planning', '1 - Planning', '2 - Pre-Alpha', '3 - Alpha', '4 - Beta', '5 - Production/Stable',
            '6 - Mature', '7 - Inactive']
licenses = {'apache2':'Apache-2.0', 'mit':'MIT', 'bsd3':'BSD-3-Clause'}
lib = cfg['lib_path']
with open('README.md', encoding='utf-8') as f:
    readme = f.read()

setuptools.setup(
    name=cfg['lib_name'],
    version=cfg['version'],
    description=cfg['description'],
    keywords=cfg['keywords'],
    author=cfg['author'],
    author_email=cfg['author_email'],
    url=cfg['git_url'],
    license=licenses[cfg['license']],
    classifiers=[
        f"Development Status :: {statuses[int(cfg['status'])]}",
        f"Intended Audience :: {cfg['audience']}",
        f"Natural Language :: {cfg['language']}",
        'Programming Language :: Python :: 3',
    ],
    # top-level data/ ships inside the wheel as seka/data/
    packages=[*setuptools.find_packages(include=[lib, f'{lib}.*']), f'{lib}.data'],
    package_dir={lib:lib, f'{lib}.data':'data'},
    package_data={lib:['py.typed'], f'{lib}.data':['*.jsonl', '*.safetensors', '*.js', '*.css']},
    include_package_data=False,
    install_requires=shlex.split(cfg.get('requirements', '')),
    extras_require={o.removesuffix('_requirements'): shlex.split(cfg[o]) for o in cfg if o.endswith('_requirements')},
    python_requires='>='+cfg['min_python'],
    long_description=readme,
    long_description_content_type='text/markdown',
    zip_safe=False,
    entry_points={
        'console_scripts': shlex.split(cfg.get('console_scripts', '')),
        'nbdev': [f'{lib}={lib}._modidx:d'],
        # loaded by vLLM in each of its processes; does nothing without steerers in the engine's configuration
        'vllm.general_plugins': [f'{lib} = {lib}.backends.vllm:plug'],
    },
)
