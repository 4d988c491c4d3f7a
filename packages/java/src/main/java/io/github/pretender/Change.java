package io.github.pretender;

import java.util.LinkedHashMap;
import java.util.Map;
import software.amazon.awssdk.services.dynamodb.model.OperationType;
import software.amazon.awssdk.services.dynamodb.model.Record;

/**
 * A change that a test expects: its kind, and some attributes of the item. Attributes that are not named can have any value.
 *
 * <p>Values are plain: texts, numbers, booleans, {@code null}, {@code byte[]}, lists, maps and sets. Numbers are equal if their values are.
 * The attributes of an insertion and a modification are those of the new image, those of a removal of the old one. If the stream has no such
 * image, only the key can be compared.
 */
public final class Change {
    /** The principal of changes that DynamoDB makes itself. */
    private static final String SERVICE = "dynamodb.amazonaws.com";

    private final OperationType event;
    private final Map<String, Object> attributes;
    /** Attributes of the old image. */
    private final Map<String, Object> before;
    private final boolean isByTimeToLive;

    private Change(OperationType event, Map<String, Object> attributes, Map<String, Object> before, boolean isByTimeToLive) {
        this.event = event;
        this.attributes = attributes;
        this.before = before;
        this.isByTimeToLive = isByTimeToLive;
    }

    private static Change of(OperationType event) {
        return new Change(event, Map.of(), Map.of(), false);
    }

    /**
     * Expects a new item.
     *
     * @param attribute the name of an attribute
     * @param value its value
     * @return the change
     */
    public static Change insert(String attribute, Object value) {
        return of(OperationType.INSERT).with(attribute, value);
    }

    /**
     * Expects that an item is modified.
     *
     * @param attribute the name of an attribute
     * @param value its value afterwards
     * @return the change
     */
    public static Change modify(String attribute, Object value) {
        return of(OperationType.MODIFY).with(attribute, value);
    }

    /**
     * Expects that an item is removed.
     *
     * @param attribute the name of an attribute
     * @param value its value before
     * @return the change
     */
    public static Change remove(String attribute, Object value) {
        return of(OperationType.REMOVE).with(attribute, value);
    }

    /**
     * Expects one more attribute.
     *
     * @param attribute its name
     * @param value its value
     * @return a change with this attribute
     */
    public Change with(String attribute, Object value) {
        return new Change(event, plus(attributes, attribute, value), before, isByTimeToLive);
    }

    /**
     * Expects one more attribute of the item before the change.
     *
     * @param attribute its name
     * @param value its value in the old image
     * @return a change with this attribute
     */
    public Change from(String attribute, Object value) {
        return new Change(event, attributes, plus(before, attribute, value), isByTimeToLive);
    }

    /**
     * Expects that DynamoDB itself has made the change: it removed the item because its time to live had passed.
     *
     * @return a change that no application has made
     */
    public Change byTimeToLive() {
        return new Change(event, attributes, before, true);
    }

    private static Map<String, Object> plus(Map<String, Object> attributes, String attribute, Object value) {
        var more = new LinkedHashMap<>(attributes);
        more.put(attribute, PlainValue.of(value));
        return more;
    }

    boolean matches(Record record) {
        return record.eventName() == event
                && has(image(record), attributes)
                && has(PlainValue.ofItem(record.dynamodb().oldImage()), before)
                && (!isByTimeToLive || isByTimeToLive(record));
    }

    private static boolean has(Map<String, Object> image, Map<String, Object> attributes) {
        return attributes.entrySet().stream().allMatch(one -> image.containsKey(one.getKey()) && image.get(one.getKey()).equals(one.getValue()));
    }

    private static boolean isByTimeToLive(Record record) {
        return record.userIdentity() != null && SERVICE.equals(record.userIdentity().principalId());
    }

    /** Shows a record as {@link #toString} shows an expected change. */
    static String shown(Record record) {
        boolean isModification = record.eventName() == OperationType.MODIFY;
        var before = isModification ? PlainValue.ofItem(record.dynamodb().oldImage()) : Map.<String, Object>of();
        return shown(record.eventNameAsString(), image(record), before, isByTimeToLive(record));
    }

    private static String shown(String event, Map<String, Object> attributes, Map<String, Object> before, boolean isByTimeToLive) {
        return event + " " + PlainValue.shown(attributes) + (before.isEmpty() ? "" : " from " + PlainValue.shown(before))
                + (isByTimeToLive ? " by time to live" : "");
    }

    private static Map<String, Object> image(Record record) {
        var data = record.dynamodb();
        boolean isRemoval = record.eventName() == OperationType.REMOVE;
        boolean hasImage = isRemoval ? data.hasOldImage() : data.hasNewImage();
        return PlainValue.ofItem(!hasImage ? data.keys() : isRemoval ? data.oldImage() : data.newImage());
    }

    @Override
    public String toString() {
        return shown(event.toString(), attributes, before, isByTimeToLive);
    }
}
