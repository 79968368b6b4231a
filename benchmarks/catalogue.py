"""The benchmarks, in the order in which they run."""

from benchmarks import api, calls, dispatch, efficiency, footprint, scale, throughput, writers

MODULES = (dispatch, throughput, efficiency, calls, scale, writers, api, footprint)
BENCHMARKS = {module.BENCHMARK.name: module.BENCHMARK for module in MODULES}
