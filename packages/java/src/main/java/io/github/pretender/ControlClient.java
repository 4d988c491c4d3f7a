package io.github.pretender;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;

/** Sends commands of the control API to a server, or to one of its databases. */
final class ControlClient {
    /** No command takes longer, unless the server hangs. */
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final URI base;

    /** Takes the endpoint of a server or of a database, without a final slash. */
    ControlClient(URI endpoint) {
        this.base = URI.create(endpoint + "/_pretender/");
    }

    Json get(String command) {
        return send(command, request(command).GET().build());
    }

    Json post(String command, Map<String, ?> body) {
        var request = request(command)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(Json.write(body)))
                .build();
        return send(command, request);
    }

    private HttpRequest.Builder request(String command) {
        var request = HttpRequest.newBuilder(base.resolve(command)).timeout(TIMEOUT);
        String token = System.getenv("PRETENDER_CONTROL_TOKEN");
        if (token != null && !token.isEmpty()) {
            request.header("Authorization", "Bearer " + token);
        }
        return request;
    }

    private Json send(String command, HttpRequest request) {
        try {
            var answer = Http.CLIENT.send(request, BodyHandlers.ofString());
            if (answer.statusCode() == 200) {
                return Json.parse(answer.body());
            }
            throw new ControlException(answer.statusCode(), errorText(command, answer.statusCode(), answer.body()));
        } catch (IOException | IllegalArgumentException error) {
            throw new PretenderException("the server at " + base + " gave no answer to `" + command + "`: " + error, error);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new PretenderException("interrupted while waiting for the answer to `" + command + "`", interrupted);
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

    /** Loads the HTTP client when the first command is sent. It is shared, because it has a thread. */
    private static final class Http {
        /** The server is local: a proxy that the machine is configured with must not get the requests. */
        static final HttpClient CLIENT = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .proxy(HttpClient.Builder.NO_PROXY)
                .connectTimeout(Duration.ofSeconds(10))
                .build();
    }
}
