import Configuration

/// Translates a configuration of HAProxy into Berth's terms.
struct HAProxyTranslation {
    static func run(_ bytes: [UInt8], file: String) throws(ConfigurationErrors) -> ImportedConfiguration {
        throw SourceError(file: file, bytes: bytes).whole("not yet", because: "")
    }
}
