package import Configuration

/// A line of the source that is not as it was.
package struct ImportFinding: Sendable, Equatable {
    /// Where it stands: "nginx.conf:12".
    package var place: String
    /// The line, or the head of the block that lacks one.
    package var text: String
    /// `repaired` or `leftOut`.
    package var verdict: Verdict
    /// Why, in a sentence.
    package var reason: String
}

/// Turns a configuration of nginx or HAProxy into one of Berth.
package struct ConfigurationImport {
    /// Whose configuration it is.
    package enum Format: String, Sendable, CaseIterable {
        case nginx, haproxy
    }

    /// The file: TOML with comments, ending with a line break.
    package let text: String
    /// How many lines have each verdict.
    package let counts: [Verdict: Int]
    /// What was repaired, then what cannot be carried over.
    package let findings: [ImportFinding]

    /// Whether something cannot be carried over.
    package var hasLosses: Bool { counts[.leftOut, default: 0] > 0 }

    /// Reads a file. `format`: nil to tell it by the name and the contents. Throws an error with its place if the source
    /// cannot be read, or if nothing in it is balanced.
    package init(
        _ bytes: [UInt8], file: String, format: Format? = nil, files: SourceFiles
    ) throws(ConfigurationErrors) {
        let configuration: ImportedConfiguration
        switch format ?? Self.format(of: bytes, file: file) {
        case .nginx:
            if let dump = NginxDump(bytes) {
                configuration = try NginxTranslation.run(
                    NginxParser.parse(dump.bytes, file: dump.main, files: dump.files), file: dump.main)
            } else {
                configuration = try NginxTranslation.run(
                    NginxParser.parse(bytes, file: file, files: files), file: file)
            }
        case .haproxy:
            configuration = try HAProxyTranslation.run(bytes, file: file)
        }
        let summary = ImportSummary(configuration)
        counts = summary.counts
        findings = summary.findings
        text = ConfigurationWriter(configuration).text(head: summary.head(file: file))
        guard text.utf8.count <= SourceLimits.fileBytes else {
            throw SourceError(file: file, bytes: []).whole(
                "too large for one file",
                because: "a configuration of Berth has at most 1 MiB, and this would have more")
        }
    }

    /// HAProxy's sections begin lines with words of their own, without a brace behind.
    private static func format(of bytes: [UInt8], file: String) -> Format {
        if file.hasSuffix(".cfg") { return .haproxy }
        if file.hasSuffix(".conf") && !file.contains("haproxy") { return .nginx }
        let sections: Set<String> = ["global", "defaults", "frontend", "backend", "listen"]
        for line in bytes.prefix(65_536).split(separator: UInt8(ascii: "\n")) {
            let text = String(decoding: line, as: UTF8.self)
            guard let word = text.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" }).first else {
                continue
            }
            if sections.contains(String(word)), !text.contains(";"), !text.contains("{") { return .haproxy }
        }
        return .nginx
    }
}
