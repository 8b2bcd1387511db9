import COpenSSL

/// The record layer of one TLS 1.3 connection of a server, from the end of its handshake on: keys, what has come of a record, and what
/// the handshake had settled. Nothing of it is shared. Its memory is one allocation, which `destroy` overwrites and frees, and one more
/// while part of a record waits for the rest.
package struct RecordConnection {
    /// What a handshake has settled, for those who ask later.
    package struct Facts: Sendable {
        /// The cipher suite.
        package var suite: RecordSuite
        /// Of the names that ALPN offers (RFC 7301), as the owner numbers them.
        package var applicationProtocol: UInt8
        /// It was resumed with a ticket.
        package var wasResumed: Bool

        package init(suite: RecordSuite, applicationProtocol: UInt8, wasResumed: Bool) {
            self.suite = suite
            self.applicationProtocol = applicationProtocol
            self.wasResumed = wasResumed
        }
    }

    /// What the handshake had settled.
    package let facts: Facts
    var reading: TrafficKeys
    var writing: TrafficKeys
    /// Of the beginning of a record whose rest has not come.
    var partial: UnsafeMutablePointer<UInt8>?
    var partialCount: Int32 = 0
    var partialCapacity: Int32 = 0
    /// Of a KeyUpdate whose rest has not come.
    var message = InlineArray<5, UInt8>(repeating: 0)
    var messageCount: UInt8 = 0
    /// Records in a row that brought no data.
    var emptyCount: UInt8 = 0
    /// Names the connection among those of its layer.
    var number: UInt64 = 0
    /// Whose contexts have its keys; retained.
    var contexts: Unmanaged<CipherContexts>?

    /// Makes the layer of a connection whose handshake is complete; nil if there are not both secrets, or they are not the suite's.
    /// `recordsSent`: those that were sent already under the server's secret. The caller calls `destroy`.
    package static func make(
        _ facts: Facts, _ secrets: borrowing HandshakeSecrets, recordsSent: UInt64, in layer: borrowing RecordLayer
    ) -> UnsafeMutablePointer<RecordConnection>? {
        secrets.withSecrets { client, server in
            guard let reading = TrafficKeys(facts.suite, secret: client, recordsSoFar: 0),
                let writing = TrafficKeys(facts.suite, secret: server, recordsSoFar: recordsSent)
            else { return nil }
            let connection = UnsafeMutablePointer<RecordConnection>.allocate(capacity: 1)
            connection.initialize(to: RecordConnection(facts: facts, reading: reading, writing: writing))
            connection.pointee.number = layer.contexts.nextNumber()
            connection.pointee.contexts = Unmanaged.passRetained(layer.contexts)
            return connection
        }
    }

    private init(facts: Facts, reading: TrafficKeys, writing: TrafficKeys) {
        self.facts = facts
        self.reading = reading
        self.writing = writing
    }

    /// Overwrites the keys, also those in contexts, and frees the memory.
    package static func destroy(_ connection: UnsafeMutablePointer<RecordConnection>) {
        if let contexts = connection.pointee.contexts {
            contexts.takeUnretainedValue().forget(connection.pointee.number, connection.pointee.facts.suite)
            contexts.release()
        }
        connection.pointee.releasePartial()
        connection.pointee.reading.cleanse()
        connection.pointee.writing.cleanse()
        connection.deinitialize(count: 1)
        connection.deallocate()
    }

    // MARK: - Parts of records

    /// Keeps the beginning of a record. Memory grows with what has come, and not with what is announced.
    mutating func keep(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        let needed = Int(partialCount) + bytes.count
        if needed > Int(partialCapacity) {
            let capacity = min(RecordLayer.longestRecord, max(needed, 2 * Int(partialCapacity)))
            let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: max(needed, capacity))
            if let old = partial {
                grown.update(from: old, count: Int(partialCount))
                old.deallocate()
            }
            partial = grown
            partialCapacity = Int32(truncatingIfNeeded: max(needed, capacity))
        }
        if let partial {
            UnsafeMutableRawPointer(partial + Int(partialCount)).copyMemory(from: source, byteCount: bytes.count)
        }
        partialCount = Int32(truncatingIfNeeded: needed)
    }

    mutating func releasePartial() {
        partial?.deallocate()
        partial = nil
        partialCount = 0
        partialCapacity = 0
    }
}
