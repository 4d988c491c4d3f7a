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
    private final OperationType event;
    private final Map<String, Object> attributes;

    private Change(OperationType event, Map<String, Object> attributes) {
        this.event = event;
        this.attributes = attributes;
    }

    /**
     * Expects a new item.
     *
     * @param attribute the name of an attribute
     * @param value its value
     * @return the change
     */
    public static Change insert(String attribute, Object value) {
        return new Change(OperationType.INSERT, Map.of()).with(attribute, value);
    }

    /**
     * Expects that an item is modified.
     *
     * @param attribute the name of an attribute
     * @param value its value afterwards
     * @return the change
     */
    public static Change modify(String attribute, Object value) {
        return new Change(OperationType.MODIFY, Map.of()).with(attribute, value);
    }

    /**
     * Expects that an item is removed.
     *
     * @param attribute the name of an attribute
     * @param value its value before
     * @return the change
     */
    public static Change remove(String attribute, Object value) {
        return new Change(OperationType.REMOVE, Map.of()).with(attribute, value);
    }

    /**
     * Expects one more attribute.
     *
     * @param attribute its name
     * @param value its value
     * @return a change with this attribute
     */
    public Change with(String attribute, Object value) {
        var more = new LinkedHashMap<>(attributes);
        more.put(attribute, PlainValue.of(value));
        return new Change(event, more);
    }

    boolean matches(Record record) {
        Map<String, Object> image = image(record);
        return record.eventName() == event
                && attributes.entrySet().stream().allMatch(one ->
                        image.containsKey(one.getKey()) && image.get(one.getKey()).equals(one.getValue()));
    }

    /** Shows a record as {@link #toString} shows an expected change. */
    static String shown(Record record) {
        return record.eventNameAsString() + " " + PlainValue.shown(image(record));
    }

    private static Map<String, Object> image(Record record) {
        var data = record.dynamodb();
        boolean isRemoval = record.eventName() == OperationType.REMOVE;
        boolean hasImage = isRemoval ? data.hasOldImage() : data.hasNewImage();
        return PlainValue.ofItem(!hasImage ? data.keys() : isRemoval ? data.oldImage() : data.newImage());
    }

    @Override
    public String toString() {
        return event + " " + PlainValue.shown(attributes);
    }
}
