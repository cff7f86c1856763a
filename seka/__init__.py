__version__ = "0.1.0"
from seka.models import DataError, ModelError, SekaError, capture, data_path, geometry, load, sites
from seka.spans import Prompt, SpanError, highlight
from seka.learn import KeyStats, learn, pairs
from seka.steering import SEKA, Comparison, Steerer, SteeringError, compare, generate, prefill
from seka.adaptive import AdaSEKA, coefficients, experts, merge
from seka.rivals import PASTA, SPA, AttentionBias, KeyScale, Prism, RandomSubspace, SPALogits, attention_mass, method
