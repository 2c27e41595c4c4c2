-- How far each account had been heard was a second row to write for each event.
-- A transaction's own row tells a repeat as well (its newest sequence), and the
-- audit compares every row with the journal, so that nothing can be missing
-- unseen.
drop table transaction.account_progress;
