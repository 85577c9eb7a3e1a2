// SPDX-License-Identifier: Apache-2.0
// The same as names.c, by what ZooKeeper calls: X500Principal.getName().
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import javax.security.auth.x500.X500Principal;

public class Names {
    public static void main(String[] arguments) throws Exception {
        HexFormat hex = HexFormat.of();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        PrintStream out = new PrintStream(System.out, false, "US-ASCII");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String answer;
            try {
                answer = hex.formatHex(new X500Principal(hex.parseHex(line)).getName().getBytes(StandardCharsets.UTF_8));
            } catch (IllegalArgumentException e) {
                answer = "-";
            }
            out.println(answer);
        }
        out.flush();
    }
}
