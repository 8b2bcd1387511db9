import Glibc
import Reactor
import TestSupport
import Testing

@testable import TLSRecords

/// Looks for bytes in the memory of this process.
private struct MemoryScan {
    /// The bytes that are looked for, and the piece of memory that is looked at: in pages of their own, which are not looked at.
    private let pattern: UnsafeMutableRawPointer
    private let chunk: UnsafeMutableRawPointer
    let count: Int
    private static let chunkBytes = 1 << 20

    init(count: Int) {
        self.count = count
        pattern = mmap(nil, 4_096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        chunk = mmap(nil, Self.chunkBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    }

    var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: pattern, count: count) }

    /// Places where the bytes are.
    func occurrences() -> Int {
        let maps = (try? String(decoding: Self.file("/proc/self/maps"), as: UTF8.self)) ?? ""
        let memory = open("/proc/self/mem", O_RDONLY)
        defer { close(memory) }
        var found = 0
        for line in maps.split(separator: "\n") {
            let words = line.split(separator: " ")
            let ends = (words.first ?? "").split(separator: "-").compactMap { UInt(String($0), radix: 16) }
            guard ends.count == 2, words.count > 1, words[1].hasPrefix("rw"), ends[1] - ends[0] < 4 << 30 else {
                continue
            }
            found += occurrences(from: ends[0], to: ends[1], memory)
        }
        // It has copies of what was looked at, in which another scan would find what that looks for.
        memset(chunk, 0, Self.chunkBytes)
        return found
    }

    private func occurrences(from start: UInt, to end: UInt, _ memory: CInt) -> Int {
        let own = [
            UInt(bitPattern: pattern)..<UInt(bitPattern: pattern) + 4_096,
            UInt(bitPattern: chunk)..<UInt(bitPattern: chunk) + UInt(Self.chunkBytes),
        ]
        var (found, address) = (0, start)
        while address < end {
            let wanted = min(Self.chunkBytes, Int(end - address))
            let read = pread(memory, chunk, wanted, off_t(truncatingIfNeeded: address))
            guard read > count else { return found }
            var rest = chunk
            while let place = memchr(rest, CInt(bytes[0]), max(0, read - count - (rest - chunk))) {
                rest = place + 1
                guard memcmp(place, pattern, count) == 0 else { continue }
                let at = address + UInt(bitPattern: place - chunk)
                if !own.contains(where: { $0.contains(at) }) { found += 1 }
            }
            // What lies across two chunks is seen in the next one.
            address += UInt(read == wanted && address + UInt(read) < end ? read - count : read)
        }
        return found
    }

    private static func file(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &piece, piece.count)
            guard count > 0 else { return bytes }
            bytes += piece[..<count]
        }
    }

    func end() {
        munmap(pattern, 4_096)
        munmap(chunk, Self.chunkBytes)
    }
}

@Suite("Secrets of records")
struct SecretScanTests {
    /// In a process of its own, whose memory is small and changes by nothing else.
    @Test("no secret and no key survives its connection, in records, contexts or elsewhere")
    func scan() async {
        await #expect(processExitsWith: .success) {
            for suite in RecordSuite.allCases { try SecretScanTests.scan(suite) }
        }
    }

    private static func scan(_ suite: RecordSuite) throws {
        let (secret, key) = (MemoryScan(count: suite.hash.count), MemoryScan(count: suite.keyBytes))
        defer {
            secret.end()
            key.end()
        }
        for index in 0..<secret.count { secret.bytes[index] = UInt8.random(in: 0...255) }
        try #require(
            KeyDerivation.expand(suite.hash, secret: UnsafeRawBufferPointer(secret.bytes), "key", into: key.bytes))
        try #require(secret.occurrences() == 0 && key.occurrences() == 0)
        var layer = RecordLayer()
        guard let connection = open(suite, secret.bytes, in: layer) else { exit(2) }
        var outgoing = ByteBuffer()
        let isSent = ([1, 2, 3] as [UInt8]).withUnsafeBytes { layer.send(connection, $0, outgoing: &outgoing) }
        outgoing.release()
        try #require(isSent && secret.occurrences() >= 1 && key.occurrences() >= 1)
        RecordConnection.destroy(connection)
        try #require(secret.occurrences() == 0 && key.occurrences() == 0)
    }

    private static func open(
        _ suite: RecordSuite, _ secret: UnsafeMutableRawBufferPointer, in layer: borrowing RecordLayer
    ) -> UnsafeMutablePointer<RecordConnection>? {
        var secrets = HandshakeSecrets()
        defer { secrets.cleanse() }
        withUnsafeMutablePointer(to: &secrets) { secrets in
            HandshakeSecrets.capture(into: secrets) {
                for label in ["c ap traffic", "s ap traffic"] {
                    Array(label.utf8).withUnsafeBytes { HandshakeSecrets.note($0, UnsafeRawBufferPointer(secret)) }
                }
            }
        }
        let facts = RecordConnection.Facts(suite: suite, applicationProtocol: 0, wasResumed: false)
        return RecordConnection.make(facts, &secrets, recordsSent: 0, in: layer)
    }
}
