"""The class that logits predict for one image, and the gradient of their cross-entropy."""

from typing import no_type_check

import numpy as np
from numba import njit

from zoogen.train.kernels.elementary import exp


@njit(error_model="numpy")
@no_type_check
def most_likely(logits):
    """Return the class of the largest logit, the first of equals."""
    best = 0
    for label in range(1, len(logits)):
        if logits[label] > logits[best]:
            best = label
    return best


@njit(error_model="numpy")
@no_type_check
def differentiate(logits, slopes, label, scale):
    """Write the gradient of ``scale`` times the cross-entropy with respect to the logits."""
    top = logits[most_likely(logits)]
    for i in range(len(logits)):
        slopes[i] = exp(logits[i] - top)
    total = np.float32(0)
    for i in range(len(logits)):
        total += slopes[i]
    factor = scale / total
    for i in range(len(logits)):
        slopes[i] *= factor
    slopes[label] -= scale
