import Kernel
import TLS

/// A process of `berth run` in front of one recording replica, whose memory can be measured.
final class BerthProcess {
    let replica: RecordingReplica
    let plain: SocketAddress
    let secure: SocketAddress
    let admin: SocketAddress
    private let folder = try? TemporaryFolder()
    private let command: BerthCommand

    init(timeouts: String = "{}", answering script: @escaping RecordingReplica.Script) throws {
        guard let folder else { throw TimedOut(description: "no temporary folder") }
        replica = try RecordingReplica(script)
        command = try BerthCommand(["run", folder.configuration(for: replica, timeouts: timeouts)], in: folder)
        plain = .loopback(port: try command.port(after: "listening on http://"))
        secure = .loopback(port: try command.port(after: "listening on https://"))
        admin = .loopback(port: try command.port(after: "admin on http://"))
    }

    deinit {
        replica.stop()
    }

    var resources: ProcessResources { command.resources }
    var isRunning: Bool { command.isRunning }

    func signal(_ number: CInt) { command.signal(number) }
    func exitCode() throws -> Int { try command.exitCode() }

    func client(isSecure: Bool, receiveBuffer: CInt = 0) throws -> Client {
        guard isSecure else { return try Client(plain, receiveBuffer: receiveBuffer) }
        return try Client(secure, tls: TLSClientContext(verifying: false), receiveBuffer: receiveBuffer)
    }

    func expectIdle() throws {
        try eventually("idle") { try Status(from: admin).isQuiet }
    }
}
