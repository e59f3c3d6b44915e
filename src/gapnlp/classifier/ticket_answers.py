"""What a classifier says of whole tickets, beside what people say of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TicketAnswers:
    """One row a ticket, one column a label, in the order of records.tickets.TICKET_LABELS.

    values: probabilities that the ticket has the label, in [0, 1], shape (n_tickets, n_labels).
    decided: whether the classifier says that it has, shape (n_tickets, n_labels).
    """

    values: NDArray[np.float64]
    decided: NDArray[np.bool_]
