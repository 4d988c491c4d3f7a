package io.github.pretender;

import java.util.Locale;

/** What can go wrong on demand. {@code docs/faults.md} describes what the caller sees. */
public enum FaultKind {
    /** {@code ProvisionedThroughputExceededException}, for operations on items. */
    THROUGHPUT_EXCEEDED,
    /** {@code ThrottlingException}, for all operations. */
    THROTTLING,
    /** {@code RequestLimitExceeded}, for operations on items. */
    REQUEST_LIMIT,
    /** {@code LimitExceededException}, for {@code GetRecords}: too many consumers read the shard. */
    LIMIT_EXCEEDED,
    /** {@code InternalServerError} with status 500, for all operations. */
    INTERNAL_ERROR,
    /** {@code ServiceUnavailable} with status 503, for all operations. */
    UNAVAILABLE,
    /** The call first waits for {@link FaultSpec#delay}; for all operations. */
    LATENCY,
    /** The connection closes without an answer, and the call had no effect; for all operations. */
    DROP_BEFORE,
    /** The connection closes without an answer, but the call was carried out; for all operations. */
    DROP_AFTER,
    /** {@code ExpiredIteratorException}, for {@code GetRecords}, regardless of the iterator's age. */
    EXPIRED_ITERATOR,
    /** {@code TrimmedDataAccessException}, for {@code GetRecords} and {@code GetShardIterator}; the records stay. */
    TRIMMED_DATA,
    /** {@code GetRecords} returns no records, and an iterator for the same position. */
    EMPTY_PAGE,
    /** {@code GetRecords} repeats the last record of a page as the first of the next one. */
    DUPLICATE,
    /** {@code BatchWriteItem} and {@code BatchGetItem} return items as unprocessed. */
    UNPROCESSED,
    /** {@code TransactionConflictException}, for writes, statements and transactions. */
    CONFLICT;

    /** Returns the name in the control API. */
    String wireName() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static FaultKind ofWireName(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT).replace('-', '_'));
    }
}
