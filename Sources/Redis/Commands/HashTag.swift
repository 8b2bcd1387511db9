/// The part of a key that decides where Redis Cluster keeps it: keys with the same one are kept together.
package enum HashTag {
    /// The key of something that belongs to `subject`: `berth:{subject}:kind`. Redis hashes what stands between the first brace and
    /// the next closing one (Redis Cluster specification, "Hash tags"), so a subject has no braces.
    package static func key(_ kind: StaticString, of subject: [UInt8]) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(9 + subject.count + kind.utf8CodeUnitCount)
        key += Array("berth:{".utf8)
        for byte in subject where byte != UInt8(ascii: "{") && byte != UInt8(ascii: "}") { key.append(byte) }
        key += Array("}:".utf8)
        key += Array("\(kind)".utf8)
        return key
    }
}
