import Foundation
import Testing

/// The unit files in configs/systemd, read as systemd.syntax(7) says.
@Suite("Files in configs/systemd")
struct UnitFilesTests {
    private func read(_ name: String) throws -> [String: [String: String]] {
        let text = try String(contentsOfFile: "\(TestFiles.configs)/systemd/\(name)", encoding: .utf8)
        var section = ""
        var found: [String: [String: String]] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            if line.hasPrefix("["), line.hasSuffix("]") {
                section = String(line.dropFirst().dropLast())
                continue
            }
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            let key = try #require(parts.count == 2 ? parts[0] : nil, "\(name): \(line)")
            found[section, default: [:]][key] = parts[1]
        }
        return found
    }

    @Test("the folder holds these, and nothing else")
    func presence() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(TestFiles.configs)/systemd").sorted()
        #expect(names == ["berth.service", "berth.socket"])
    }

    @Test("the service says when it is ready, runs the configuration of the documentation, and stops after the drain")
    func service() throws {
        let service = try #require(try read("berth.service")["Service"])

        #expect(service["Type"] == "notify" && service["NotifyAccess"] == "main")
        #expect(service["ExecStart"]?.hasSuffix("berth run /etc/berth/berth.toml") == true)
        #expect(service["ExecReload"] == "/bin/kill -HUP $MAINPID")
        #expect(try #require(service["TimeoutStopSec"].flatMap { Int($0) }) > 300, "the default drain_timeout")
        #expect(service["RestrictAddressFamilies"]?.contains("AF_UNIX") == true, "for the notifications")
        #expect(service["StateDirectory"] == "berth", "for the key file in /var/lib/berth")
    }

    @Test("the socket is that of the minimal configuration: port 443 of IPv6 and IPv4")
    func socket() throws {
        let socket = try #require(try read("berth.socket")["Socket"])

        #expect(socket["ListenStream"] == "443" && socket["BindIPv6Only"] == "both")
    }
}
