"""The benchmarks, in the order in which they run."""

from benchmarks import api, calls, dispatch, efficiency, fairness, footprint, growth, scale, throughput, writers

MODULES = (dispatch, throughput, efficiency, calls, scale, writers, api, fairness, footprint, growth)
BENCHMARKS = {module.BENCHMARK.name: module.BENCHMARK for module in MODULES}
