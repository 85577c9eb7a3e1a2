// SPDX-License-Identifier: Apache-2.0
package org.apache.zookeeper.metrics;

import faaskeeper.conformance.ServerProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;

/** The tests' view of a server's metrics: what the process that runs answers to mntr, whole numbers as Long. */
public final class MetricsUtils {
    private MetricsUtils() {}

    public static Map<String, Object> collect(MetricsProvider provider) {
        Map<String, Object> found = new HashMap<>();
        provider.dump(found::put);
        return found;
    }

    public static Map<String, Object> currentServerMetrics() {
        Map<String, Object> found = new HashMap<>();
        try {
            for (String line : ServerProcess.latest().ask("mntr").split("\n")) {
                String[] parts = line.split("\t", 2);
                if (parts.length == 2 && parts[0].startsWith("zk_")) {
                    String value = parts[1].trim();
                    found.put(parts[0].substring("zk_".length()),
                            value.matches("-?\\d+") ? (Object) Long.valueOf(value) : value);
                }
            }
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
        return found;
    }
}
