package io.github.pretender;

import java.util.Optional;
import java.util.function.Supplier;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.apache.ApacheHttpClient;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;

/**
 * The HTTP clients that the AWS clients of all databases share, so that a test does not pay for new connections and threads.
 *
 * <p>They use no proxy. A project that has none of these HTTP clients gets the SDK's choice, with its proxy settings.
 */
final class HttpClients {
    /** All databases are on one server, and many tests may run at the same time. */
    private static final int MAX_CONNECTIONS = 500;

    private HttpClients() {}

    static Optional<SdkHttpClient> sync() {
        return Sync.CLIENT;
    }

    static Optional<SdkAsyncHttpClient> async() {
        return Async.CLIENT;
    }

    private static final class Sync {
        static final Optional<SdkHttpClient> CLIENT =
                ifPresent("software.amazon.awssdk.http.apache5.Apache5HttpClient", Sync::apache5)
                        .or(() -> ifPresent("software.amazon.awssdk.http.apache.ApacheHttpClient", Sync::apache))
                        .or(() -> ifPresent("software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient", Sync::urlConnection));

        /** What newer versions of the SDK use. */
        private static SdkHttpClient apache5() {
            return Apache5HttpClient.builder()
                    .maxConnections(MAX_CONNECTIONS)
                    .proxyConfiguration(software.amazon.awssdk.http.apache5.ProxyConfiguration.builder()
                            .useSystemPropertyValues(false)
                            .useEnvironmentVariableValues(false)
                            .build())
                    .build();
        }

        private static SdkHttpClient apache() {
            return ApacheHttpClient.builder()
                    .maxConnections(MAX_CONNECTIONS)
                    .proxyConfiguration(software.amazon.awssdk.http.apache.ProxyConfiguration.builder()
                            .useSystemPropertyValues(false)
                            .useEnvironmentVariableValues(false)
                            .build())
                    .build();
        }

        private static SdkHttpClient urlConnection() {
            return UrlConnectionHttpClient.builder()
                    .proxyConfiguration(proxy -> proxy.useSystemPropertyValues(false).useEnvironmentVariablesValues(false))
                    .build();
        }
    }

    private static final class Async {
        static final Optional<SdkAsyncHttpClient> CLIENT =
                ifPresent("software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient", () -> NettyNioAsyncHttpClient.builder()
                        .maxConcurrency(MAX_CONNECTIONS)
                        .proxyConfiguration(software.amazon.awssdk.http.nio.netty.ProxyConfiguration.builder()
                                .useSystemPropertyValues(false)
                                .useEnvironmentVariableValues(false)
                                .build())
                        .build());
    }

    private static <C> Optional<C> ifPresent(String className, Supplier<C> create) {
        try {
            Class.forName(className, false, HttpClients.class.getClassLoader());
            return Optional.of(create.get());
        } catch (ClassNotFoundException absent) {
            return Optional.empty();
        }
    }
}
