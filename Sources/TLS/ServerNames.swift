import ASCII
import COpenSSL

/// Which context serves which name: exact names and wildcards of one label (RFC 9525 section 6.3), regardless of case.
///
/// Looked up in every handshake that names a server, hence without allocation. Owns the contexts it was given.
final class ServerNames {
    /// A name's place in `text`. A wildcard is kept as what follows its star: ".example.org".
    private struct Entry {
        var start: Int
        var count: Int
        var context: OpaquePointer
    }

    private var text: [UInt8] = []
    private var entries: [Entry] = []
    /// Open addressing; -1 is free. Never full.
    private var slots: [Int32] = []
    private var owned: [OpaquePointer] = []

    deinit {
        for context in owned { SSL_CTX_free(context) }
    }

    /// Adds a context, which is the table's to free from now on if `isOwned`. Names that are taken stay with whoever
    /// was first.
    func add(_ context: OpaquePointer, names: [String], isOwned: Bool) {
        if isOwned { owned.append(context) }
        for name in names {
            let key = Array((name.hasPrefix("*.") ? String(name.dropFirst()) : name).lowercased().utf8)
            guard find(key.span) == nil else { continue }
            entries.append(Entry(start: text.count, count: key.count, context: context))
            text += key
            place()
        }
    }

    /// The context for a name that a client sent; nil if none has it.
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

    /// Places the newest entry; all of them anew where the table gets too full.
    private func place() {
        if entries.count * 2 > slots.count {
            slots = [Int32](repeating: -1, count: max(16, slots.count * 2))
            for index in entries.indices { place(index) }
        } else {
            place(entries.count - 1)
        }
    }

    private func place(_ index: Int) {
        let entry = entries[index]
        var slot = Self.hash(text.span.extracting(entry.start..<entry.start + entry.count)) & (slots.count - 1)
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(index)
    }

    /// FNV-1a. The names are the operator's: nobody can choose them to collide.
    private static func hash(_ name: Span<UInt8>) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in name.indices { hash = (hash ^ UInt64(name[index].lowercased)) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash >> 1)
    }
}

extension ServerNames {
    /// Makes handshakes that begin with `context` go on with the one their server name asks for.
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
                // Changes certificates only: all contexts of a listener are alike in everything else.
                if found != SSL_get_SSL_CTX(ssl), SSL_set_SSL_CTX(ssl, found) == nil {
                    return SSL_TLSEXT_ERR_ALERT_FATAL
                }
                return SSL_TLSEXT_ERR_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}
