import Foundation
import Kernel
import Logging
import Synchronization
import TLS
import Telemetry
import Testing

@testable import Proxy

/// With real files and a real thread, which looks four times a second.
@Suite("Certificate watcher")
struct CertificateWatcherTests {
    /// What the watcher said to workers. Refuses as many messages as it is told to.
    private final class Inbox: Sendable {
        private let state = Mutex((messages: [WorkerMessage](), refusals: 0, refused: 0))

        func write(_ message: WorkerMessage) -> CertificateWatcher.Delivery {
            state.withLock {
                if $0.refusals > 0 {
                    $0.refusals -= 1
                    $0.refused += 1
                    return .incomplete
                }
                $0.messages.append(message)
                return .delivered
            }
        }

        func refuseNext(_ count: Int) { state.withLock { $0.refusals = count } }

        var refused: Int { state.withLock { $0.refused } }
        var count: Int { state.withLock { $0.messages.count } }

        /// "listener 0: CN = two", "upstream 1: CN = three", in order.
        var texts: [String] {
            state.withLock { state in
                state.messages.map { message in
                    switch message {
                    case .certificates(let plan, let context):
                        "listener \(plan.slot): \(context.certificates.first?.subject ?? "")"
                    case .upstreamCertificates(let upstream, let context):
                        "upstream \(upstream): \(context.certificate?.subject ?? "")"
                    default: "something else"
                    }
                }
            }
        }
    }

    private let folder: KeyFileTests.Folder
    private let inbox = Inbox()
    private let counts = CertificateCounts()

    init() throws { folder = try KeyFileTests.Folder() }

    private struct NotYet: Error, CustomStringConvertible {
        let description: String
    }

    private func eventually(_ what: String, _ condition: () -> Bool) async throws {
        let deadline = Instant.now() + .seconds(60)
        while !condition() {
            guard Instant.now() < deadline else {
                throw NotYet(description: "\(what): \(inbox.texts), \(counts.totals)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Puts a pair for `subject` in the place of what `name` has, both files in one step.
    private func put(_ name: String, _ subject: String) throws {
        let pair = try SelfSignedCertificate.make(names: [subject], validDays: 2)
        try put(name, certificate: pair.certificatePEM, key: pair.keyPEM)
    }

    private func put(_ name: String, certificate: [UInt8], key: [UInt8]) throws {
        let version = folder.url.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: version, withIntermediateDirectories: false)
        try Data(certificate).write(to: version.appending(path: "tls.pem"))
        try Data(key).write(to: version.appending(path: "tls.key"))
        let link = folder.path("new")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: version.path)
        guard rename(link, folder.path(name)) == 0 else { throw NotYet(description: "cannot rename") }
    }

    private func files(_ name: String) -> TLSFiles.Pair {
        TLSFiles.Pair(certificate: folder.path("\(name)/tls.pem"), key: folder.path("\(name)/tls.key"))
    }

    /// A plain listener, one with the files `a`; an upstream in clear, one with the files `b`.
    private func snapshot() throws -> Snapshot {
        try put("a", "one")
        try put("b", "one")
        var snapshot = Snapshot()
        snapshot.listeners = [ListenerPlan(address: .loopback(port: 1)), ListenerPlan(address: .loopback(port: 2))]
        snapshot.listeners[1].reloadingTLS = try ReloadingTLS(TLSFiles([files("a")], options: TLSOptions()))
        snapshot.upstreams = [UpstreamPlan(name: "u", servers: 0..<0), UpstreamPlan(name: "v", servers: 0..<0)]
        snapshot.upstreams[1].reloadingTLS = try ReloadingClientTLS(
            TLSClientFiles(pair: files("b"), authorities: nil, otherwise: .anyone))
        // Upstreams have numbers once they are registered.
        try ServerTable(Metrics(workers: 1, servers: 2)).register(&snapshot)
        return snapshot
    }

    private func watcher(_ snapshot: Snapshot) throws -> CertificateWatcher {
        var log = Logger(label: "test")
        log.logLevel = .critical
        return try CertificateWatcher(snapshot, counts: counts, log: log) { [inbox] in inbox.write($0) }
    }

    @Test("without files there is nothing to watch")
    func nothing() throws {
        var snapshot = Snapshot()
        #expect(try watcher(snapshot).isIdle)
        snapshot.listeners = [ListenerPlan(address: .loopback(port: 1))]
        snapshot.upstreams = [UpstreamPlan(name: "u", servers: 0..<0)]
        #expect(try watcher(snapshot).isIdle)
        // A context that is made of no file: nothing of it can change.
        snapshot.upstreams[0].reloadingTLS = try ReloadingClientTLS(
            TLSClientFiles(pair: nil, authorities: nil, otherwise: .anyone))
        #expect(try watcher(snapshot).isIdle)
        #expect(try !watcher(self.snapshot()).isIdle)
    }

    @Test("new files of a listener and of an upstream go to workers, each under its own number")
    func renewed() async throws {
        let watcher = try watcher(snapshot())
        try watcher.start()
        defer { watcher.stop() }

        try put("a", "two")
        try await eventually("the listener's") { inbox.count == 1 }
        #expect(inbox.texts == ["listener 1: CN = two"])
        try put("b", "three")
        try await eventually("the upstream's") { inbox.count == 2 }

        #expect(inbox.texts == ["listener 1: CN = two", "upstream 1: CN = three"])
        #expect(counts.totals == (2, 0))
    }

    @Test("files that cannot be used are counted once and told to nobody; good ones after them are taken")
    func refused() async throws {
        let watcher = try watcher(snapshot())
        try watcher.start()
        defer { watcher.stop() }

        try put("a", certificate: Array("no certificate".utf8), key: Array("no key".utf8))
        try await eventually("the refusal") { counts.totals == (0, 1) }
        // The upstream's files are looked at after the listener's in the same round: it looked again, and said no more.
        try put("b", "two")
        try await eventually("another look") { inbox.count == 1 }
        #expect(inbox.texts == ["upstream 1: CN = two"])
        #expect(counts.totals == (1, 1))

        try put("a", "three")
        try await eventually("the good one") { inbox.count == 2 }
        #expect(inbox.texts == ["upstream 1: CN = two", "listener 1: CN = three"])
        #expect(counts.totals == (2, 1))
    }

    @Test("what a worker could not take is offered again, and a newer version takes its place")
    func undelivered() async throws {
        let watcher = try watcher(snapshot())
        inbox.refuseNext(.max)
        try watcher.start()
        defer { watcher.stop() }

        try put("a", "two")
        try await eventually("a refusal and another try") { inbox.refused >= 2 }
        try put("a", "three")
        try await eventually("the newer one") { counts.totals == (2, 0) }
        #expect(inbox.count == 0)
        inbox.refuseNext(0)
        try await eventually("the delivery") { inbox.count > 0 }

        #expect(inbox.texts == ["listener 1: CN = three"])
        // Delivered is delivered: another renewal shows that nothing old comes with it.
        try put("b", "four")
        try await eventually("the other's") { inbox.count > 1 }
        #expect(inbox.texts == ["listener 1: CN = three", "upstream 1: CN = four"])
    }

    @Test("a watcher that is stopped goes away, though it was in its sleep, and looks no more")
    func stopped() async throws {
        weak var gone: CertificateWatcher?
        do {
            let watcher = try watcher(snapshot())
            gone = watcher
            try watcher.start()
            try put("a", "two")
            try await eventually("that it runs") { inbox.count == 1 }
            watcher.stop()
        }
        // Its thread held it.
        try await eventually("the thread's end") { gone == nil }
        try put("a", "three")
        #expect(inbox.texts == ["listener 1: CN = two"])
    }

    @Test("a watcher that is stopped before it starts looks at nothing")
    func stoppedEarly() async throws {
        weak var gone: CertificateWatcher?
        do {
            let watcher = try watcher(snapshot())
            gone = watcher
            watcher.stop()
            try put("a", "two")
            try watcher.start()
        }
        try await eventually("the thread's end") { gone == nil }
        #expect(inbox.count == 0)
    }
}
