// SPDX-License-Identifier: Apache-2.0
package faaskeeper.conformance;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.UniqueId;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs one class of JUnit tests and records each result when it is known, so that a crash or a hang is a failure and
 * not a hole: {@code RunTests CLASS RECORD SECONDS [--only FILE] [--done FILE]}. A record's line is
 * {@code start|passed|failed|skipped TAB test TAB milliseconds TAB text}, newlines of the text written as \n.
 */
public final class RunTests implements TestExecutionListener {
    private static final int TEXT_LENGTH = 6000;

    private final PrintStream record;
    private final Map<String, Long> began = new ConcurrentHashMap<>();

    private RunTests(PrintStream record) {
        this.record = record;
    }

    /** Class without the project's common prefix, method, number of a parameterised test's invocation. */
    private static String nameOf(String uniqueId) {
        StringBuilder name = new StringBuilder();
        for (UniqueId.Segment segment : UniqueId.parse(uniqueId).getSegments()) {
            String value = segment.getValue();
            switch (segment.getType()) {
                case "class":
                    name.append(value.replaceFirst("^org\\.apache\\.(zookeeper|curator)\\.", ""));
                    break;
                case "nested-class":
                    name.append('$').append(value);
                    break;
                case "method":
                case "test-template":
                case "test-factory":
                    name.append('.').append(value.replaceFirst("\\(.*", ""));
                    break;
                case "test-template-invocation":
                case "dynamic-test":
                    Matcher number = Pattern.compile("#(\\d+)").matcher(value);
                    name.append('[').append(number.find() ? number.group(1) : value).append(']');
                    break;
                default:
                    break;
            }
        }
        return name.toString();
    }

    private synchronized void write(String kind, String test, String text) {
        long now = System.nanoTime();
        long from = began.getOrDefault(test, now);
        record.println(kind + "\t" + test + "\t" + (now - from) / 1_000_000 + "\t"
                + text.replace("\\", "\\\\").replace("\r", "").replace("\n", "\\n").replace("\t", " "));
        record.flush();
    }

    @Override
    public void executionStarted(TestIdentifier identifier) {
        if (identifier.isTest()) {
            String test = nameOf(identifier.getUniqueId());
            began.put(test, System.nanoTime());
            write("start", test, "");
        }
    }

    @Override
    public void executionSkipped(TestIdentifier identifier, String reason) {
        write("skipped", nameOf(identifier.getUniqueId()), reason);
    }

    @Override
    public void executionFinished(TestIdentifier identifier, TestExecutionResult result) {
        boolean passed = result.getStatus() == TestExecutionResult.Status.SUCCESSFUL;
        if (!identifier.isTest() && passed) {
            return;
        }
        String kind = passed ? "passed"
                : result.getStatus() == TestExecutionResult.Status.ABORTED ? "skipped" : "failed";
        write(kind, nameOf(identifier.getUniqueId()), result.getThrowable().map(RunTests::textOf).orElse(""));
    }

    private static String textOf(Throwable problem) {
        StringWriter text = new StringWriter();
        problem.printStackTrace(new PrintWriter(text, true));
        return text.getBuffer().substring(0, Math.min(text.getBuffer().length(), TEXT_LENGTH));
    }

    public static void main(String[] words) throws IOException, ClassNotFoundException {
        Set<String> only = new HashSet<>();
        Set<String> done = new HashSet<>();
        for (int at = 3; at + 1 < words.length; at += 2) {
            (words[at].equals("--only") ? only : done).addAll(Files.readAllLines(Path.of(words[at + 1])));
        }
        PostDiscoveryFilter filter = found -> {
            String test = nameOf(found.getUniqueId().toString());
            boolean leaf = found.getChildren().isEmpty();
            return FilterResult.includedIf(!leaf || (only.isEmpty() || only.contains(test)) && !done.contains(test));
        };
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClass(Class.forName(words[0], false, RunTests.class.getClassLoader())))
                .configurationParameter("junit.jupiter.execution.timeout.testable.method.default", words[2] + " s")
                .configurationParameter("junit.jupiter.execution.timeout.beforeeach.method.default", words[2] + " s")
                .filters(filter)
                .build();
        try (FileOutputStream file = new FileOutputStream(words[1], true);
                PrintStream record = new PrintStream(file, false, StandardCharsets.UTF_8)) {
            LauncherFactory.create().execute(request, new RunTests(record));
            record.println("end\t\t0\t");
        }
        Runtime.getRuntime().halt(0); // whatever threads the tests left behind
    }
}
