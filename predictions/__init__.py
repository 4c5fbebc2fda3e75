"""The domain: what may be asked, the life of a prediction, and how it is shown.

For whoever reads it the first time, in this order:

1. What is asked: `contract` (which numbers a question has), `location` (where a house can be priced).
2. Its life: `models.prediction` and `models.feed` (the row, and what its owner is told), then `services`, in which
   every change to a prediction is a function.
3. The door: `views.predict_api`, `callers` (who asks), `asking` (from the bytes to the stored row), `doorbell`.
4. Whom the door refuses: `throttle` (who asks too often), `line` and `admission` (an answer would take too long),
   `doorway` (refused before Django). Who is not asked twice: `idempotency`.
5. What takes long: `overdue` (published again). What is known of all of them: `stages`, `life_log`, `ledger`.
6. How one is shown: `reading` (who may read it), `representation` (its one shape), `problems`, then `api`.

The rest is for people. Pages: `views`, with `forms`, `inputs`, `units`, `wording`. What an owner keeps: `keeping`,
`pins`, `export`, `account`. What the models say of an answer: `explanation`, `what_if`, `change`, `trust`.
"""
