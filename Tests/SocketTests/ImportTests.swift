import Foundation
import Testing

extension SocketTests {
    @Suite("berth import", .serialized)
    struct ImportTests {
        private static let served =
            "upstream m { server a:1; server b:1; }\nserver { listen 8080; location / { proxy_pass http://m; } }\n"

        @Test(
            "the exit code says whether all could be carried over, and what it prints is a configuration",
            arguments: [
                ("nginx.conf", "", 0), ("site", "", 0), ("nginx.conf", "limit_req_zone $a zone=b:1m rate=1r/s;\n", 1),
            ])
        func exitCodes(name: String, more: String, code: Int) throws {
            let folder = try TemporaryFolder()
            let source = try folder.write(name, more + Self.served)

            let command = try BerthCommand(["import", source], in: folder)

            #expect(try command.exitCode() == code)
            #expect(
                command.complained.contains("\(source):\(code + 1): repaired: upstream m\n  Nothing keeps sessions"))
            #expect(command.complained.contains("left out: limit_req_zone") == (code == 1))
            #expect(command.complained.hasSuffix("repaired, \(code) left out\n"))
            let check = try BerthCommand(["check", folder.write("berth.toml", command.printed)], in: folder)
            #expect(try check.exitCode() == 0)
            #expect(check.printed.hasSuffix("valid, 2 servers in 1 upstream\n"))
        }

        @Test("a file that cannot be read as nginx reads it is an error with its place, and nothing is printed")
        func unreadable() throws {
            let folder = try TemporaryFolder()
            let source = try folder.write("nginx.conf", "server {\n  listen 80\n}\n")

            let command = try BerthCommand(["import", source], in: folder)

            #expect(try command.exitCode() == 2)
            #expect(command.printed == "")
            #expect(
                command.complained.contains(
                    "\(source):2:12: error: there is no \";\" before the \"}\"\n  2 |   listen 80\n"))
            for missing in [folder.path("none.conf"), folder.url.path] {
                let command = try BerthCommand(["import", missing], in: folder)
                #expect(try command.exitCode() == 2)
                #expect(command.complained.contains("error: cannot be read"))
            }
        }

        @Test("included files are found beside the file")
        func includes() throws {
            let folder = try TemporaryFolder()
            _ = try folder.write("sites-mcp.conf", Self.served)
            let source = try folder.write("nginx.conf", "events {}\nhttp { include sites-*.conf; }\n")

            let command = try BerthCommand(["import", source], in: folder)

            #expect(try command.exitCode() == 0)
            #expect(command.printed.contains("servers = [\"a:1\", \"b:1\"]"))
        }

        @Test("a link is followed; a pipe is not waited for, it is left out")
        func pipes() throws {
            let folder = try TemporaryFolder()
            _ = try folder.write("available", Self.served)
            try #require(symlink("available", folder.path("sites-mcp.conf")) == 0)
            let source = try folder.write("nginx.conf", "http { include sites-*.conf; }\n")
            #expect(try BerthCommand(["import", source], in: folder).exitCode() == 0)

            try #require(mkfifo(folder.path("sites-pipe.conf"), 0o600) == 0)
            let command = try BerthCommand(["import", source], in: folder)
            #expect(try command.exitCode() == 1)
            #expect(command.complained.contains("\(source):1: left out: include sites-*.conf;"))
            #expect(command.printed.contains("servers = [\"a:1\", \"b:1\"]"))
        }

        @Test("HAProxy's file is told by its contents, and another format is refused")
        func formats() throws {
            let folder = try TemporaryFolder()
            let source = try folder.write("balancer", "listen mcp\n  bind :8080\n  server a a:1\n")

            let command = try BerthCommand(["import", source], in: folder)
            let other = try BerthCommand(["import", source, "--format", "caddy"], in: folder)

            #expect(try command.exitCode() == 0)
            #expect(command.printed.contains("[upstream.mcp]"))
            #expect(try other.exitCode() == 64)
            #expect(other.complained.contains("--format is nginx or haproxy"))
        }
    }
}
