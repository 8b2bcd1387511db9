extension TableReader {
    /// `allow` and `deny`.
    mutating func access() -> AccessConfiguration {
        var access = AccessConfiguration()
        let before = findings.errors.count
        access.allowed = clientRanges("allow")
        access.denied = clientRanges("deny")
        guard findings.errors.count == before, let entry = entry("deny") else { return access }
        if let both = access.denied.first(where: { access.allowed.contains($0) }) {
            findings.report(
                entry.value.range, "\(TOMLText.quoted(both.description)) is allowed and denied",
                because: "the longest prefix decides, and both are the same block")
        }
        return access
    }

    private mutating func clientRanges(_ key: String) -> [AddressRange] {
        let ranges = addressRanges(key, of: "a client")
        guard let entry = entry(key) else { return ranges }
        if case .array(let values) = entry.value.content, values.isEmpty {
            findings.report(
                entry.value.range, "\(key) is empty", because: "nobody is in it, so it would do nothing",
                help: key == "allow" ? "to serve nobody, write deny = [\"0.0.0.0/0\", \"::/0\"]" : nil)
        }
        if ranges.count > AccessConfiguration.maximumBlocks {
            findings.report(
                entry.value.range, "\(key) has \(ranges.count) blocks",
                because: "every request is compared with each of them: at most "
                    + "\(TOMLText.integer(AccessConfiguration.maximumBlocks))")
        }
        return ranges
    }
}
