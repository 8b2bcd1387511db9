import ASCII
import COpenSSL

/// Maps server names to contexts: exact names and wildcards for one label (RFC 9525 section 6.3), regardless of case.
///
/// A lookup happens in every handshake with a server name, so it allocates nothing. The table owns the contexts added
/// with `isOwned`.
final class ServerNames {
    /// A name's range in `text`. A wildcard is stored without its star: ".example.org".
    private struct Entry {
        var start: Int
        var count: Int
        var context: OpaquePointer
    }

    private var text: [UInt8] = []
    private var entries: [Entry] = []
    /// A hash table with open addressing: indices of `entries`, -1 for a free slot. At most half full.
    private var slots: [Int32] = []
    private var owned: [OpaquePointer] = []

    deinit {
        for context in owned { SSL_CTX_free(context) }
    }

    /// Adds a context for its names. With `isOwned` the table frees it. A name that the table already has stays with
    /// the context it was first added for.
    func add(_ context: OpaquePointer, names: [String], isOwned: Bool) {
        if isOwned { owned.append(context) }
        for name in names {
            let key = Array((name.hasPrefix("*.") ? String(name.dropFirst()) : name).lowercased().utf8)
            guard find(key.span) == nil else { continue }
            entries.append(Entry(start: text.count, count: key.count, context: context))
            text += key
            insertLast()
        }
    }

    /// The context for a name that a client sent; nil if there is none. The table keeps ownership.
    func context(for name: Span<UInt8>) -> OpaquePointer? {
        if name.count > 0, name[0] != UInt8(ascii: "."), let exact = find(name) { return exact }
        for index in name.indices where name[index] == UInt8(ascii: ".") {
            return index > 0 ? find(name.extracting(index..<name.count)) : nil
        }
        return nil
    }

    private func find(_ name: Span<UInt8>) -> OpaquePointer? {
        guard !slots.isEmpty else { return nil }
        var slot = Self.hash(name) & (slots.count - 1)
        while slots[slot] >= 0 {
            let entry = entries[Int(slots[slot])]
            if entry.count == name.count, isSame(entry, name) { return entry.context }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private func isSame(_ entry: Entry, _ name: Span<UInt8>) -> Bool {
        for index in 0..<entry.count where text[entry.start + index] != name[index].lowercased { return false }
        return true
    }

    /// Inserts the newest entry into the hash table, which is doubled first if it would be more than half full.
    private func insertLast() {
        if entries.count * 2 > slots.count {
            slots = [Int32](repeating: -1, count: max(16, slots.count * 2))
            for index in entries.indices { insert(index) }
        } else {
            insert(entries.count - 1)
        }
    }

    private func insert(_ index: Int) {
        let entry = entries[index]
        var slot = Self.hash(text.span.extracting(entry.start..<entry.start + entry.count)) & (slots.count - 1)
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(index)
    }

    /// FNV-1a over the lower-case name. The names come from the operator's certificates, so a client cannot make them
    /// collide.
    private static func hash(_ name: Span<UInt8>) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in name.indices { hash = (hash ^ UInt64(name[index].lowercased)) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash >> 1)
    }
}

extension ServerNames {
    /// Makes handshakes that begin with `context` continue with the context of the client's server name. `context` must
    /// not outlive the table.
    func install(in context: OpaquePointer) {
        berth_SSL_CTX_set_servername_callback(
            context,
            { ssl, _, names in
                guard let ssl, let names, let name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else {
                    return SSL_TLSEXT_ERR_NOACK
                }
                let bytes = UnsafeBufferPointer(start: name, count: strlen(name))
                let found = Unmanaged<ServerNames>.fromOpaque(names)._withUnsafeGuaranteedRef { names in
                    bytes.withMemoryRebound(to: UInt8.self) { names.context(for: $0.span) }
                }
                guard let found else { return SSL_TLSEXT_ERR_NOACK }
                // This changes only the certificate: all contexts of a listener have the same options.
                if found != SSL_get_SSL_CTX(ssl), SSL_set_SSL_CTX(ssl, found) == nil {
                    return SSL_TLSEXT_ERR_ALERT_FATAL
                }
                return SSL_TLSEXT_ERR_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}
