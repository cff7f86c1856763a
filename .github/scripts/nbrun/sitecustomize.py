"Python imports this as it starts, where this folder is on PYTHONPATH: so the guard is in all that a notebook starts"
import os

if os.environ.get('NBTEST_GUARD'):
    import deprecations
    deprecations.install(os.environ['NBTEST_GUARD'], os.environ['NBTEST_ROOT'])
