"""Distinct l-diversity over people (Eq. 6, 12).

Every equivalence class must hold at least l different values of the sensitive attribute.
Source: A. Machanavajjhala et al., l-diversity: privacy beyond k-anonymity, TKDD 1(1), 2007;
Kumar et al. 2025.
"""

import numpy as np
import numpy.typing as npt


def distinct_values(
    pairs: npt.NDArray[np.int64],
    class_of_pair: npt.NDArray[np.int64],
    people: npt.NDArray[np.int64],
    classes: int,
) -> npt.NDArray[np.int64]:
    """Distinct sensitive values of every class.

    Args:
        pairs: for each (class, pattern) pair, the number of its (class, sensitive value) combination.
        class_of_pair: (combinations,) class of each combination.
        people: people of each (class, pattern) pair who are not suppressed.
        classes: number of classes.

    Returns:
        (classes,) values held by at least one person who is left.
    """
    held = np.bincount(pairs, weights=people, minlength=len(class_of_pair)) > 0
    return np.bincount(class_of_pair[held], minlength=classes).astype(np.int64)
