import FoundationEssentials
import Glibc

/// Another balancer, to be put in Berth's place.
package struct Peer: Sendable {
    /// The balancers that can be driven.
    package enum Kind: String, CaseIterable, Sendable {
        case nginx, haproxy

        /// The ending of its configuration file.
        var ending: String { self == .nginx ? ".conf" : ".cfg" }
        /// The signal that has its main process read its configuration again.
        var reloadSignal: Int32 { self == .nginx ? SIGHUP : SIGUSR2 }
    }

    /// Which one.
    package let kind: Kind
    /// The text of its configuration, with names between at signs that are filled in.
    let template: String
    /// How the built-in configuration keeps sessions; "as configured" for a file.
    let affinity: String

    /// `argument`: the path of a configuration file with `@LISTEN@`, `@SERVERS@`, `@CERT@`, `@KEY@`, `@BUNDLE@`, `@DIR@`,
    /// `@USER@`, `@REVISION@` to be filled in, and lines that stand for one line each server (`text(servers:draining:)`); or
    /// `nginx`, `nginx.conf`, `haproxy`, `haproxy.cfg` for a built-in one. Throws if it is neither.
    package init(argument: String) throws(ProveError) {
        let name = argument.split(separator: "/").last.map(String.init) ?? argument
        guard let kind = Kind.allCases.first(where: { name.hasPrefix($0.rawValue) || name.hasSuffix($0.ending) }) else {
            throw ProveError("--against takes nginx, haproxy, or a file that ends with .conf (nginx) or .cfg (HAProxy)")
        }
        self.kind = kind
        if FileManager.default.fileExists(atPath: argument) {
            guard let text = try? String(contentsOfFile: argument, encoding: .utf8) else {
                throw ProveError("\(argument) cannot be read as text")
            }
            template = text
            affinity = "as configured"
        } else if name == kind.rawValue || name == kind.rawValue + kind.ending {
            template = kind == .nginx ? PeerTemplates.nginx : PeerTemplates.haproxy
            affinity = kind == .nginx ? "sessions by asking each server" : "sessions by ids learned from responses"
        } else {
            throw ProveError("\(argument): no such file")
        }
    }

    /// Whether its configuration can give a server no new sessions.
    var drains: Bool { template.contains("@OPEN@") || template.contains("@WEIGHT@") }

    /// The template with its servers: a line with `@SERVER@` (an address) stands for one line each server, in which `@NAME@` is
    /// its name and `@WEIGHT@` 1, or 0 while it drains; a line with `@OPEN@` for one each server that does not drain.
    /// `@SERVERS@` is all servers without more.
    func text(servers ports: [UInt16], draining: Set<Int> = []) -> String {
        template.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let isOpen = line.contains("@OPEN@")
            guard isOpen || line.contains("@SERVER@") else { return String(line) }
            return ports.indices.filter { !isOpen || !draining.contains($0) }.map { index in
                line.replacing(isOpen ? "@OPEN@" : "@SERVER@", with: "127.0.0.1:\(ports[index])")
                    .replacing("@NAME@", with: Self.name(index))
                    .replacing("@WEIGHT@", with: draining.contains(index) ? "0" : "1")
            }.joined(separator: "\n")
        }.joined(separator: "\n").replacing("@SERVERS@", with: servers(ports))
    }

    /// The servers as its configuration lists them, one a line.
    private func servers(_ ports: [UInt16]) -> String {
        ports.enumerated().map { index, port in
            kind == .nginx ? "server 127.0.0.1:\(port);" : "server \(Self.name(index)) 127.0.0.1:\(port)"
        }.joined(separator: "\n        ")
    }

    /// The name of a server in its configuration.
    static func name(_ index: Int) -> String { "mcp-\(index + 1)" }

    /// The words that start it.
    func words(program: String, file: String, folder: String) -> [String] {
        switch kind {
        case .nginx: [program, "-p", folder, "-e", "\(folder)/nginx-error.log", "-c", file]
        // A master over the worker, as its packages run it: it is what takes a reload.
        case .haproxy: [program, "-W", "-db", "-L", "prove", "-f", file]
        }
    }
}
