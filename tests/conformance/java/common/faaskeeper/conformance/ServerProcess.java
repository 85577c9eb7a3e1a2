// SPDX-License-Identifier: Apache-2.0
package faaskeeper.conformance;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;

/**
 * A server in a process of its own: ours, or the real ZooKeeper. What the tests have set as system properties for
 * a server in their JVM is passed on, since ZooKeeper reads them as settings.
 *
 * <p>Environment: FK_SERVER_COMMAND is the command, one word a line, to which the path of a zoo.cfg is added;
 * FK_SERVER_PROPERTIES is "flags" (properties become -D of the JVM, before the command's last word) or "file" (they
 * become lines of the zoo.cfg); FK_SERVER_LOG takes what the server prints.
 */
public final class ServerProcess {
    // Settings of every server of a JVM, for tests that set them after the server's start: theirs reads them later.
    private static final String ALWAYS = "faaskeeper.server.";
    private static final long START_SECONDS = 30;
    private static final long STOP_SECONDS = 15;
    private static final int FIRST_PORT = 11000;
    private static final int LAST_PORT = 32000; // below Linux' range for outgoing connections
    private static int nextPort = FIRST_PORT + (int) (ProcessHandle.current().pid() * 37 % (LAST_PORT - FIRST_PORT));

    private static volatile ServerProcess latest;

    private final Properties settings;
    private Process process;

    /** The settings are lines of zoo.cfg; clientPort or secureClientPort, and dataDir, must be there. */
    public ServerProcess(Properties settings) {
        this.settings = settings;
        this.settings.setProperty("admin.enableServer", "false");
    }

    /** The process that was started last. */
    public static ServerProcess latest() {
        return latest;
    }

    /** A free port that no outgoing connection takes while a server is down between two starts. */
    public static synchronized int freePort() throws IOException {
        for (int tries = 0; tries < LAST_PORT - FIRST_PORT; tries++) {
            nextPort = nextPort >= LAST_PORT ? FIRST_PORT : nextPort + 1;
            try (ServerSocket probe = new ServerSocket(nextPort, 1, InetAddress.getLoopbackAddress())) {
                return probe.getLocalPort();
            } catch (IOException taken) {
                continue;
            }
        }
        throw new IOException("no free port");
    }

    /** Starts the process; returns when it answers a four letter word. */
    public void start() throws IOException, InterruptedException {
        Path config = Path.of(settings.getProperty("dataDir"), "conformance-zoo.cfg");
        Map<String, String> properties = propertiesForServers();
        writeLoginConfiguration(properties);
        List<String> command = new ArrayList<>(Arrays.asList(System.getenv("FK_SERVER_COMMAND").split("\n")));
        if (System.getenv("FK_SERVER_PROPERTIES").equals("flags")) {
            List<String> flags = new ArrayList<>();
            properties.forEach((name, value) -> flags.add("-D" + name + "=" + value));
            command.addAll(command.size() - 1, flags);
            properties = Map.of();
        }
        writeConfig(config, properties);
        command.add(config.toString());
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(new File(System.getenv("FK_SERVER_LOG"))))
                .start();
        latest = this;
        waitUntilItAnswers();
    }

    private void writeConfig(Path config, Map<String, String> properties) throws IOException {
        List<String> lines = new ArrayList<>();
        new TreeMap<>(settings).forEach((name, value) -> lines.add(name + "=" + value));
        properties.forEach((name, value) -> lines.add(name.replaceFirst("^zookeeper\\.", "") + "=" + value));
        Files.write(config, lines);
    }

    /** The system properties of this JVM that a server reads. */
    private static Map<String, String> propertiesForServers() {
        Map<String, String> found = new TreeMap<>();
        for (String name : System.getProperties().stringPropertyNames()) {
            boolean forServer = name.startsWith("zookeeper.") || name.startsWith("znode.container.")
                    || name.equals("jute.maxbuffer") || name.equals("readonlymode.enabled")
                    || name.equals("java.security.auth.login.config");
            boolean ofHarness = name.equals("zookeeper.serverCnxnFactory") || name.equals("zookeeper.junit.threadid")
                    || name.startsWith("zookeeper.client") || name.startsWith("zookeeper.disableAutoWatchReset")
                    || name.equals("zookeeper.request.timeout");
            // A class of the tests' own is not on a server's class path.
            boolean ofTests = System.getProperty(name).startsWith("org.apache.zookeeper.test.");
            if (forServer && !ofHarness && !ofTests) {
                found.put(name, System.getProperty(name));
            }
        }
        for (String name : System.getProperties().stringPropertyNames()) {
            if (name.startsWith(ALWAYS)) {
                found.put(name.substring(ALWAYS.length()), System.getProperty(name));
            }
        }
        return found;
    }

    /** A JAAS configuration that a test made in memory becomes a file. */
    private void writeLoginConfiguration(Map<String, String> properties) throws IOException {
        String section = properties.getOrDefault("zookeeper.sasl.serverconfig", "Server");
        AppConfigurationEntry[] entries;
        try {
            entries = Configuration.getConfiguration().getAppConfigurationEntry(section);
        } catch (SecurityException none) {
            return;
        }
        if (entries == null || properties.containsKey("java.security.auth.login.config")) {
            return;
        }
        StringBuilder text = new StringBuilder(section + " {\n");
        for (AppConfigurationEntry entry : entries) {
            text.append(entry.getLoginModuleName()).append(" required");
            entry.getOptions().forEach((name, value) -> text.append("\n " + name + "=\"" + value + "\""));
            text.append(";\n");
        }
        Path file = Path.of(settings.getProperty("dataDir"), "conformance-jaas.conf");
        Files.writeString(file, text + "};\n");
        properties.put("java.security.auth.login.config", file.toString());
    }

    private void waitUntilItAnswers() throws IOException, InterruptedException {
        if (settings.getProperty("clientPort") == null) {
            waitUntilItListens(Integer.parseInt(settings.getProperty("secureClientPort")));
            return;
        }
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        boolean quorum = settings.stringPropertyNames().stream().anyMatch(name -> name.startsWith("server."));
        while (true) {
            try {
                String answer = ask("srvr");
                if (answer.startsWith("Zookeeper version") || answer.contains("whitelist")
                        || quorum && !answer.isEmpty()) {
                    return;
                }
            } catch (IOException notYet) {
                checkAlive();
            }
            if (System.nanoTime() > deadline) {
                kill();
                throw new IOException("the server does not answer");
            }
            Thread.sleep(20);
        }
    }

    private void waitUntilItListens(int port) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (System.nanoTime() < deadline) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(address(), port), 1000);
                return;
            } catch (IOException notYet) {
                checkAlive();
                Thread.sleep(20);
            }
        }
        kill();
        throw new IOException("the server does not listen");
    }

    private void checkAlive() throws IOException {
        if (!process.isAlive()) {
            throw new IOException("the server ended with exit code " + process.exitValue());
        }
    }

    private String address() {
        return settings.getProperty("clientPortAddress", "127.0.0.1");
    }

    /** Sends a four letter word and returns the answer. */
    public String ask(String word) throws IOException {
        int port = Integer.parseInt(settings.getProperty("clientPort"));
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(address(), port), 1000);
            socket.setSoTimeout(1000);
            socket.getOutputStream().write(word.getBytes(StandardCharsets.US_ASCII));
            try (InputStream in = socket.getInputStream()) {
                return new String(in.readAllBytes(), StandardCharsets.UTF_8);
            }
        }
    }

    /** Ends the process as an operator does; its data stays. */
    public void stop() {
        if (process == null) {
            return;
        }
        process.destroy();
        try {
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                throw new UncheckedIOException(new IOException("the server does not end on SIGTERM"));
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } finally {
            kill();
        }
    }

    /** Ends the process without a warning. */
    public void kill() {
        if (process != null) {
            process.destroyForcibly();
            process = null;
        }
    }
}
