/// What `nginx -T` prints: all files of a configuration, each below a comment with its path.
///
///     # configuration file /etc/nginx/nginx.conf:
struct NginxDump {
    /// The path of the first file, which includes the others.
    let main: String
    private let texts: [String: [UInt8]]

    /// Nil for bytes without such comments.
    init?(_ bytes: [UInt8]) {
        var texts: [String: [UInt8]] = [:]
        var main: String?
        var current: String?
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if let path = Self.path(of: line) {
                if main == nil { main = path }
                current = path
                texts[path] = []
            } else if let current {
                texts[current]?.append(contentsOf: line)
                texts[current]?.append(UInt8(ascii: "\n"))
            }
        }
        guard let main else { return nil }
        self.main = main
        self.texts = texts
    }

    private static func path(of line: ArraySlice<UInt8>) -> String? {
        let start = Array("# configuration file /".utf8)
        guard line.starts(with: start) else { return nil }
        let text = String(decoding: line.dropFirst(start.count - 1), as: UTF8.self)
        let path = text.hasSuffix("\r") ? text.dropLast() : Substring(text)
        return path.hasSuffix(":") ? String(path.dropLast()) : nil
    }

    /// The bytes of the first file.
    var bytes: [UInt8] { texts[main] ?? [] }

    /// The other files, as far as they were printed.
    var files: SourceFiles {
        let texts = texts
        return SourceFiles(
            read: { texts[$0] },
            list: { folder in
                let prefix = folder == "/" ? "/" : folder + "/"
                return texts.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
                    .filter { !$0.contains("/") }
            })
    }
}
