package shop;

/** Why the shop refuses something. */
public final class ShopException extends RuntimeException {
    private static final long serialVersionUID = 1;

    ShopException(String message) {
        super(message);
    }
}
