package io.github.pretender;

import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The shards of streams. A stream is named by its ARN, or by the name of its table for the table's latest stream. */
public final class Shards {
    private final ControlClient control;

    Shards(ControlClient control) {
        this.control = control;
    }

    /**
     * Lists the shards of a stream.
     *
     * @param tableOrStream the name of a table, or the ARN of a stream
     * @return the shards, parents before their children
     * @throws ControlException if the table does not exist or has no stream
     */
    public List<Shard> list(String tableOrStream) {
        return shards("shards/list", stream(tableOrStream));
    }

    /**
     * Closes the open shards of a stream. Each gets one child, as after four hours on AWS.
     *
     * @param tableOrStream the name of a table, or the ARN of a stream
     * @return the new shards
     * @throws ControlException if the table does not exist or has no stream
     */
    public List<Shard> rotate(String tableOrStream) {
        return shards("shards/rotate", stream(tableOrStream));
    }

    /**
     * Closes an open shard of a stream. It gets one child, as after four hours on AWS.
     *
     * @param tableOrStream the name of a table, or the ARN of a stream
     * @param shardId the ID of the shard
     * @return the new shard
     * @throws ControlException if the shard does not exist or is not open
     */
    public List<Shard> rotate(String tableOrStream, String shardId) {
        return shards("shards/rotate", shard(tableOrStream, shardId));
    }

    /**
     * Closes the open shards of a stream. Each gets two children, as under load on AWS.
     *
     * @param tableOrStream the name of a table, or the ARN of a stream
     * @return the new shards
     * @throws ControlException if the table does not exist or has no stream
     */
    public List<Shard> split(String tableOrStream) {
        return shards("shards/split", stream(tableOrStream));
    }

    /**
     * Closes an open shard of a stream. It gets two children, as under load on AWS.
     *
     * @param tableOrStream the name of a table, or the ARN of a stream
     * @param shardId the ID of the shard
     * @return the new shards
     * @throws ControlException if the shard does not exist or is not open
     */
    public List<Shard> split(String tableOrStream, String shardId) {
        return shards("shards/split", shard(tableOrStream, shardId));
    }

    Trimmed trim(String tableOrStream) {
        return Trimmed.of(control.post("trim", stream(tableOrStream)));
    }

    Trimmed trimBefore(String tableOrStream, String sequenceNumber) {
        var body = new HashMap<>(stream(tableOrStream));
        body.put("before", sequenceNumber);
        return Trimmed.of(control.post("trim", body));
    }

    private List<Shard> shards(String command, Map<String, String> body) {
        return control.post(command, body).get("shards").list().stream().map(Shard::of).toList();
    }

    private static Map<String, String> stream(String tableOrStream) {
        return Map.of(tableOrStream.contains("/stream/") ? "stream_arn" : "table", tableOrStream);
    }

    private static Map<String, String> shard(String tableOrStream, String shardId) {
        var body = new HashMap<>(stream(tableOrStream));
        body.put("shard_id", shardId);
        return body;
    }

    /**
     * Describes a shard.
     *
     * @param streamArn the ARN of its stream
     * @param shardId its ID
     * @param parentShardId the shard that it continues, unless that one was removed or never existed
     * @param startingSequenceNumber from which sequence number on it can have records
     * @param endingSequenceNumber up to which it can have records, if it is closed
     * @param open whether it takes records
     * @param opened when it was opened
     * @param closed when it was closed, if it is closed
     * @param hashFrom the first hash of the partition keys whose records it takes, as 16 hexadecimal digits
     * @param hashTo the last hash
     */
    public record Shard(
            String streamArn,
            String shardId,
            Optional<String> parentShardId,
            String startingSequenceNumber,
            Optional<String> endingSequenceNumber,
            boolean open,
            Instant opened,
            Optional<Instant> closed,
            String hashFrom,
            String hashTo) {
        static Shard of(Json shard) {
            Json closed = shard.get("closed_epoch_millis");
            return new Shard(
                    shard.get("stream_arn").text(),
                    shard.get("shard_id").text(),
                    optional(shard.get("parent_shard_id")),
                    shard.get("starting_sequence_number").text(),
                    optional(shard.get("ending_sequence_number")),
                    shard.get("open").bool(),
                    Instant.ofEpochMilli(shard.get("opened_epoch_millis").integer()),
                    closed.isPresent() ? Optional.of(Instant.ofEpochMilli(closed.integer())) : Optional.empty(),
                    shard.get("hash_from").text(),
                    shard.get("hash_to").text());
        }

        private static Optional<String> optional(Json value) {
            return value.isPresent() ? Optional.of(value.text()) : Optional.empty();
        }
    }

    /**
     * What was trimmed.
     *
     * @param records removed records
     * @param shards closed shards that have no records any more and were removed
     * @param streams disabled streams that were removed with their last shard
     */
    public record Trimmed(long records, long shards, long streams) {
        static Trimmed of(Json answer) {
            return new Trimmed(answer.get("records").integer(), answer.get("shards").integer(), answer.get("streams").integer());
        }
    }
}
