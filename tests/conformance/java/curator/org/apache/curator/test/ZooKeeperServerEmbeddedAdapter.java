// SPDX-License-Identifier: Apache-2.0
package org.apache.curator.test;

import faaskeeper.conformance.ServerProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;

/** What a TestingServer starts and stops: a process, instead of a server inside the tests' JVM. */
public final class ZooKeeperServerEmbeddedAdapter implements ZooKeeperMainFace {
    private ServerProcess process;
    private int port;

    @Override
    public void start(QuorumPeerConfigBuilder builder) {
        try {
            Properties settings = new Properties();
            settings.putAll(builder.buildProperties());
            port = Integer.parseInt(settings.getProperty("clientPort"));
            if (port == 0) {
                port = ServerProcess.freePort();
            }
            settings.setProperty("clientPort", Integer.toString(port));
            settings.setProperty("clientPortAddress", "127.0.0.1");
            settings.setProperty("4lw.commands.whitelist", "*");
            Files.createDirectories(Path.of(settings.getProperty("dataDir")));
            process = new ServerProcess(settings);
            process.start();
        } catch (Exception problem) {
            throw new FailedServerStartException(problem);
        }
    }

    @Override
    public int getClientPort() {
        return port;
    }

    @Override
    public void kill() {
        process.kill();
    }

    @Override
    public void close() {
        if (process != null) {
            process.stop();
        }
    }
}
