"""Where the classroom's runs are computed: worker processes that can be killed, a fair queue, and a cache on disk.

`pool_runner.PoolRunner` is the way in. It is not imported here, because a worker, which is a part of this package, has
no need of the lab that the runner is for: half of its memory, and most of the time in which it starts.
"""
