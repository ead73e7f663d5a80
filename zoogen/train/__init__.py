"""Train and measure models, many at a time, by kernels on the CPU or by torch.

In: a spec, the configs of some models, images. Out: weights and measurements of every snapshot.
May import: ``spec``, ``images``, ``store``.
Private: ``dropout``, ``kernels``, ``optimisers``, ``tally``.
"""
