import ASCII
import JSON
import Kernel

/// Reads a list of targets as Prometheus' file_sd_config does: `[{"targets": ["10.0.0.7:3001"], "labels": {…}}]`. Of the labels,
/// `berth_weight` and `berth_backup` mean something here. Whatever the bytes are, reading them ends.
package enum TargetFile {
    /// The longest file that is read.
    package static var maximumBytes: Int { 4 << 20 }

    /// The servers of a file; an empty list is a failure, for nobody wants an upstream without servers.
    package static func servers(_ text: Span<UInt8>) -> Result<DiscoveryAnswer, DiscoveryFailure> {
        do throws(DiscoveryFailure) {
            var reader = JSONReader()
            guard reader.openArray(text) else { throw malformed("the file is not a list of groups", reader, text) }
            var servers: [DiscoveredServer] = []
            while reader.nextElement(text) { servers += try group(&reader, text) }
            guard reader.isAtEnd(text) else { throw malformed("this is not JSON", reader, text) }
            guard !servers.isEmpty else { throw DiscoveryFailure(.empty) }
            return .success(DiscoveryAnswer(servers: servers))
        } catch {
            return .failure(error)
        }
    }

    private static func group(
        _ reader: inout JSONReader, _ text: Span<UInt8>
    ) throws(DiscoveryFailure) -> [DiscoveredServer] {
        guard reader.openObject(text) else {
            throw malformed("a group is an object with \"targets\"", reader, text)
        }
        var servers: [DiscoveredServer]?
        var labels = Labels()
        while let name = reader.nextName(text) {
            let name = text.extracting(name)
            if JSONString.content(name, equals: "targets") {
                servers = try targets(&reader, text)
            } else if JSONString.content(name, equals: "labels") {
                labels = try self.labels(&reader, text)
            } else if reader.value(text) == nil {
                throw malformed("this is not JSON", reader, text)
            }
        }
        guard reader.failure == nil else { throw malformed("this is not JSON", reader, text) }
        guard let servers else { throw malformed("a group has no \"targets\"", reader, text) }
        return servers.map { labels.applied(to: $0) }
    }

    private static func targets(
        _ reader: inout JSONReader, _ text: Span<UInt8>
    ) throws(DiscoveryFailure) -> [DiscoveredServer] {
        guard reader.openArray(text) else { throw malformed("\"targets\" is not a list", reader, text) }
        var servers: [DiscoveredServer] = []
        while reader.nextElement(text) {
            guard let range = reader.string(text) else { throw malformed("a target is not a text", reader, text) }
            let target = text.extracting(range)
            guard let server = server(target) else {
                throw malformed("a target is a host and a port, such as \"10.0.0.7:3001\"", reader, text)
            }
            servers.append(server)
        }
        return servers
    }

    /// A server from "10.0.0.7:3001", "[fd00::7]:3001" or "mcp-1:3001".
    static func server(_ target: Span<UInt8>) -> DiscoveredServer? {
        guard target.count <= 300 else { return nil }
        var bytes: [UInt8] = []
        for index in target.indices { bytes.append(target[index]) }
        let text = String(decoding: bytes, as: UTF8.self)
        if let address = SocketAddress(text) {
            guard address.port > 0, address.canBeServer else { return nil }
            return DiscoveredServer(address, port: address.port, certificateName: address.host, origin: "")
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0
        else { return nil }
        let host = text[..<colon].lowercased()
        guard isHostName(host) else { return nil }
        return DiscoveredServer(host: host, port: port, certificateName: host)
    }

    private static func isHostName(_ name: String) -> Bool {
        let isAllowed: (UInt8) -> Bool = { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return !name.isEmpty && name.utf8.count <= 253 && name.utf8.allSatisfy(isAllowed) && !name.hasPrefix(".")
            && !name.contains("..")
    }

    // MARK: - Labels

    /// What the labels of a group say about its servers.
    private struct Labels {
        var weight: Int32 = 1
        var isBackup = false

        func applied(to server: DiscoveredServer) -> DiscoveredServer {
            var server = server
            server.weight = weight
            server.isBackup = isBackup
            return server
        }
    }

    private static func labels(
        _ reader: inout JSONReader, _ text: Span<UInt8>
    ) throws(DiscoveryFailure) -> Labels {
        guard reader.openObject(text) else { throw malformed("\"labels\" is not an object", reader, text) }
        var labels = Labels()
        while let name = reader.nextName(text) {
            let name = text.extracting(name)
            guard let range = reader.string(text) else { throw malformed("a label is not a text", reader, text) }
            let value = text.extracting(range)
            if JSONString.content(name, equals: "berth_weight") {
                guard let weight = value.decimal, (1...1_000).contains(weight) else {
                    throw malformed("berth_weight is a text of 1 to 1000", reader, text)
                }
                labels.weight = Int32(weight)
            } else if JSONString.content(name, equals: "berth_backup") {
                guard JSONString.content(value, equals: "true") || JSONString.content(value, equals: "false") else {
                    throw malformed("berth_backup is \"true\" or \"false\"", reader, text)
                }
                labels.isBackup = JSONString.content(value, equals: "true")
            }
        }
        return labels
    }

    /// A failure with the line that reading has come to.
    private static func malformed(_ what: String, _ reader: JSONReader, _ text: Span<UInt8>) -> DiscoveryFailure {
        var line = 1
        for index in 0..<min(reader.position, text.count) where text[index] == UInt8(ascii: "\n") { line += 1 }
        return DiscoveryFailure(.malformed, "line \(line): \(what)")
    }
}
