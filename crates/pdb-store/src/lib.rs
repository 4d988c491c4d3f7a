//! SQL storage of items and stream records: transactions, dynamic tables, migrations.
