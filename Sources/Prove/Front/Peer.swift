import Foundation

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
    /// `@USER@`, `@REVISION@` to be filled in; or `nginx`, `nginx.conf`, `haproxy`, `haproxy.cfg` for a built-in one. Throws
    /// if it is neither.
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
            affinity = kind == .nginx ? "clients by their address" : "sessions by ids learned from responses"
        } else {
            throw ProveError("\(argument): no such file")
        }
    }

    /// The servers as its configuration lists them, one a line.
    func servers(_ ports: [UInt16]) -> String {
        ports.enumerated().map { index, port in
            kind == .nginx
                ? "server 127.0.0.1:\(port);" : "server mcp-\(index + 1) 127.0.0.1:\(port)"
        }.joined(separator: "\n        ")
    }

    /// The words that start it.
    func words(program: String, file: String, folder: String) -> [String] {
        switch kind {
        case .nginx: [program, "-p", folder, "-e", "\(folder)/nginx-error.log", "-c", file]
        // A master over the worker, as its packages run it: it is what takes a reload.
        case .haproxy: [program, "-W", "-db", "-L", "prove", "-f", file]
        }
    }
}
