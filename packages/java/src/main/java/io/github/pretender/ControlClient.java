package io.github.pretender;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Sends commands of the control API to a server, or to one of its databases.
 *
 * <p>It uses {@code HttpURLConnection}: the first request of a Java process takes 40 milliseconds with it, and 900 with {@code java.net.http}.
 */
final class ControlClient {
    private static final int CONNECT_TIMEOUT_MILLIS = 10_000;
    /** No command takes longer, unless the server hangs. */
    private static final int READ_TIMEOUT_MILLIS = 60_000;

    private final URI base;

    /** Takes the endpoint of a server or of a database, without a final slash. */
    ControlClient(URI endpoint) {
        this.base = URI.create(endpoint + "/_pretender/");
    }

    Json get(String command) {
        return send(command, null);
    }

    Json post(String command, Map<String, ?> body) {
        return send(command, Json.write(body));
    }

    /** Sends a command with a body, or one that shows something and has none. */
    private Json send(String command, String body) {
        try {
            // The server is local: a proxy that the machine is configured with must not get the requests.
            var connection = (HttpURLConnection) base.resolve(command).toURL().openConnection(Proxy.NO_PROXY);
            connection.setConnectTimeout(CONNECT_TIMEOUT_MILLIS);
            connection.setReadTimeout(READ_TIMEOUT_MILLIS);
            connection.setUseCaches(false);
            String token = System.getenv("PRETENDER_CONTROL_TOKEN");
            if (token != null && !token.isEmpty()) {
                connection.setRequestProperty("Authorization", "Bearer " + token);
            }
            if (body != null) {
                connection.setRequestMethod("POST");
                connection.setRequestProperty("Content-Type", "application/json");
                connection.setDoOutput(true);
                connection.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
            }
            return answer(command, connection);
        } catch (IOException | IllegalArgumentException error) {
            throw new PretenderException("the server at " + base + " gave no answer to `" + command + "`: " + error, error);
        }
    }

    private static Json answer(String command, HttpURLConnection connection) throws IOException {
        int status = connection.getResponseCode();
        // The stream is read to its end, so that the connection is used again.
        try (InputStream stream = status == 200 ? connection.getInputStream() : connection.getErrorStream()) {
            String text = stream == null ? "" : new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            if (status == 200) {
                return Json.parse(text);
            }
            throw new ControlException(status, errorText(command, status, text));
        }
    }

    private static String errorText(String command, int status, String body) {
        try {
            Json error = Json.parse(body).get("error");
            if (error.isPresent()) {
                return error.text();
            }
        } catch (IllegalArgumentException notJson) {
            // Something else than the control API has answered: its text is all there is.
        }
        return "`" + command + "` was answered with status " + status + ": " + body;
    }
}
