"""k-anonymity over people (Eq. 5, 11).

Every equivalence class of released quasi-identifier values must be shared by at least k *people*; a person
with several admissions counts once in each class they are in.
Source: L. Sweeney, k-anonymity: a model for protecting privacy, IJUFKS 10(5), 2002; Kumar et al. 2025.
"""

import numpy as np
import numpy.typing as npt


def class_sizes(
    members: npt.NDArray[np.int64], people: npt.NDArray[np.int64], classes: int
) -> npt.NDArray[np.int64]:
    """People of every class.

    Args:
        members: class of each (class, pattern) pair, every pair once.
        people: people of that pair's pattern who are not suppressed.
        classes: number of classes.

    Returns:
        (classes,) people; 0 for a class nobody is left in.
    """
    return np.bincount(members, weights=people, minlength=classes).astype(np.int64)
