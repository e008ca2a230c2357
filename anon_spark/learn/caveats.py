"""What is said of small numbers: counts of people below the small cell are hidden, few people are warned of."""

CONVINCING_PEOPLE = 1000


def small_cell_safe(part: int, people: int, small_cell: int) -> int | str:
    """``part`` of ``people``, hidden where fewer than ``small_cell`` are in it or fewer are not.

    >>> small_cell_safe(3, 100, 11), small_cell_safe(95, 100, 11), small_cell_safe(40, 100, 11)
    ('<11', '>89', 40)
    """
    if part < small_cell:
        return f"<{small_cell}"
    return f">{people - small_cell}" if people - part < small_cell else part


def warning(people: int) -> str | None:
    """What to say of too few people."""
    if people >= CONVINCING_PEOPLE:
        return None
    return f"{people} people prove nothing: the metrics show that training runs, not how well it learns."
