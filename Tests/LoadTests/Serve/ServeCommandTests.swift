import Foundation
import Kernel
import Load
import TestSupport
import Testing

@Suite("berth-load serve")
struct ServeCommandTests {
    struct Announced: Decodable {
        var replica: String
        var address: String
    }

    /// Starts the built program and waits for the lines that announce its replicas.
    private func start(_ arguments: [String]) throws -> (process: TestProcess, input: Pipe, replicas: [Announced]) {
        let process = TestProcess()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = try executable()
        process.arguments = ["serve"] + arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let expected = arguments.firstIndex(of: "--replicas").flatMap { Int(arguments[$0 + 1]) } ?? 1
        var text: [UInt8] = []
        let deadline = Instant.now() + .seconds(60)
        while text.count(where: { $0 == 10 }) < expected, Instant.now() < deadline {
            var poll = pollfd(fd: output.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&poll, 1, 100) == 1 else { continue }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { break }
            text += more
        }
        let lines = text.split(separator: 10)
        try #require(lines.count == expected)
        return (process, input, try lines.map { try JSONDecoder().decode(Announced.self, from: Data($0)) })
    }

    /// The program next to the test bundle, where SwiftPM puts all products.
    private func executable() throws -> URL {
        URL(fileURLWithPath: try #require(builtExecutable("berth-load")))
    }

    private func ends(_ process: TestProcess) -> Bool {
        let deadline = Instant.now() + .seconds(60)
        while process.isRunning, Instant.now() < deadline { usleep(5_000) }
        return !process.isRunning
    }

    private func load(_ replica: Announced, _ workload: Workload) throws -> RunFigures {
        var plan = LoadPlan(target: try Target(url: "http://\(replica.address)/mcp"), workload: workload)
        plan.connections = 2
        plan.warmUp = 0
        (plan.seconds, plan.calls) = (60, 20)
        return try LoadRun(plan).finish()
    }

    @Test("An address in use is named, and the exit code is 2")
    func addressInUse() throws {
        let taken = try Socket.listen(on: .loopback(port: 0), shared: false)
        let address = try #require(Socket.localAddress(taken))
        let process = TestProcess()
        process.executableURL = try executable()
        process.arguments = ["serve", "--listen", "\(address)"]
        let text = String(decoding: try process.runToEnd(reading: .errors), as: UTF8.self)
        #expect(text == "berth-load: cannot listen on \(address): bind: Address already in use\n")
        #expect(process.terminationStatus == 2)
        close(taken.raw)
    }

    @Test("Each replica prints its address and answers with its name; all end when standard input ends")
    func replicas() throws {
        let (process, input, replicas) = try start([
            "--replicas", "3", "--name", "r", "--reply-bytes", "500", "--until-eof",
        ])
        defer { process.terminate() }
        #expect(replicas.map(\.replica) == ["r-1", "r-2", "r-3"])
        #expect(Set(replicas.map(\.address)).count == 3)
        for replica in replicas {
            let figures = try load(replica, .sessions)
            #expect(figures.wrong == [:] && figures.failed == [:], "\(figures.examples)")
            #expect(figures.replicas.keys.sorted() == [replica.replica])
            #expect(figures.bytesReceived > figures.completed * 500)
        }
        try input.fileHandleForWriting.close()
        #expect(ends(process))
        #expect(process.terminationStatus == 0)
    }

    @Test("A single replica has the given name, and SIGTERM ends it")
    func terminates() throws {
        let (process, input, replicas) = try start(["--name", "alone"])
        #expect(replicas.map(\.replica) == ["alone"])
        try input.fileHandleForWriting.close()
        #expect(try load(replicas[0], .calls).completed >= 20)
        process.terminate()
        #expect(ends(process))
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    }

    @Test(
        "Invalid options are rejected",
        arguments: [
            ["--replicas", "0"], ["--replicas", "2", "--listen", "127.0.0.1:65535"], ["--listen", "localhost"],
            ["--listen", "127.0.0.1"], ["--reply-bytes", "-1"], ["--events-per-second", "1001"],
        ])
    func refuses(arguments: [String]) throws {
        let process = TestProcess()
        process.executableURL = try executable()
        process.arguments = ["serve"] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        #expect(ends(process))
        #expect(process.terminationStatus != 0)
        if process.isRunning { process.terminate() }
    }
}
