// SPDX-License-Identifier: Apache-2.0
package faaskeeper.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.zookeeper.server.ServerCnxn;
import org.apache.zookeeper.server.ServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;
import org.apache.zookeeper.server.quorum.QuorumPeerConfig;

/**
 * Takes the place of the server inside the tests' JVM, by ZooKeeper's own setting zookeeper.serverCnxnFactory: where
 * ClientBase and the tests start a factory with a ZooKeeperServer, a process is started with that server's settings.
 * The ZooKeeperServer itself is never started; a test that looks into it learns nothing of the process.
 */
public final class ProcessCnxnFactory extends ServerCnxnFactory {
    private InetSocketAddress address;
    private int maxClientCnxns;
    private int backlog;
    private ServerProcess process;

    @Override
    public void configure(InetSocketAddress address, int maxClientCnxns, int backlog, boolean secure) {
        this.address = address;
        this.maxClientCnxns = maxClientCnxns;
        this.backlog = backlog;
        this.secure = secure;
    }

    @Override
    public void startup(ZooKeeperServer server, boolean startServer) throws IOException, InterruptedException {
        setZooKeeperServer(server);
        if (!startServer) {
            return;
        }
        startProcess();
    }

    private void startProcess() throws IOException, InterruptedException {
        ZooKeeperServer server = getZooKeeperServer();
        Properties settings = new Properties();
        settings.setProperty("dataDir", server.getTxnLogFactory().getSnapDir().getParent());
        settings.setProperty("dataLogDir", server.getTxnLogFactory().getDataLogDir().getParent());
        settings.setProperty("tickTime", Integer.toString(server.getTickTime()));
        settings.setProperty("minSessionTimeout", Integer.toString(server.getMinSessionTimeout()));
        settings.setProperty("maxSessionTimeout", Integer.toString(server.getMaxSessionTimeout()));
        settings.setProperty("maxClientCnxns", Integer.toString(maxClientCnxns));
        settings.setProperty("reconfigEnabled", Boolean.toString(QuorumPeerConfig.isReconfigEnabled()));
        settings.setProperty("clientPortAddress",
                address.getAddress().isAnyLocalAddress() ? "127.0.0.1" : address.getHostString());
        settings.setProperty(secure ? "secureClientPort" : "clientPort", Integer.toString(address.getPort()));
        process = new ServerProcess(settings);
        process.start();
    }

    @Override
    public void shutdown() {
        if (process != null) {
            process.stop();
            process = null;
        }
    }

    @Override
    public int getLocalPort() {
        return address.getPort();
    }

    @Override
    public InetSocketAddress getLocalAddress() {
        return address;
    }

    @Override
    public int getMaxClientCnxnsPerHost() {
        return maxClientCnxns;
    }

    @Override
    public void setMaxClientCnxnsPerHost(int max) {
        maxClientCnxns = max;
        if (process != null) {
            process.stop();
            restart();
        }
    }

    private void restart() {
        try {
            startProcess();
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public int getSocketListenBacklog() {
        return backlog;
    }

    @Override
    public void start() {
        // The process starts with startup().
    }

    @Override
    public void join() {
        // There is no thread to wait for.
    }

    @Override
    public Iterable<ServerCnxn> getConnections() {
        return List.of();
    }

    @Override
    public Iterable<Map<String, Object>> getAllConnectionInfo(boolean brief) {
        return List.of();
    }

    @Override
    public void reconfigure(InetSocketAddress to) {
        throw elsewhere();
    }

    @Override
    public void closeAll(ServerCnxn.DisconnectReason reason) {
        throw elsewhere();
    }

    @Override
    public void resetAllConnectionStats() {
        throw elsewhere();
    }

    private static UnsupportedOperationException elsewhere() {
        return new UnsupportedOperationException("the server is another process");
    }
}
