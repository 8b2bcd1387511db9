import Foundation
import Kernel
import Proxy
import TestSupport
import Testing

extension SocketTests {
    /// Independent HTTP/2 clients that operators use.
    @Suite("HTTP/2: curl and nghttp", .serialized)
    struct HTTP2ToolTests {
        private static let size = 20_000_000

        enum Tool: String, CaseIterable, Sendable {
            case curl, nghttp

            /// Whether it is installed. Prints a message if it is not.
            var isThere: Bool {
                let paths = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
                if paths.contains(where: { FileManager.default.isExecutableFile(atPath: "\($0)/\(rawValue)") }) {
                    return true
                }
                FileHandle.standardError.write(
                    Data("\n*** SocketTests: SKIPPED, \(rawValue) is not installed\n\n".utf8))
                return false
            }

            static let installed = allCases.filter(\.isThere)
        }

        private let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        /// Runs a program to its end. Returns its standard output and standard error.
        private func run(_ arguments: [String]) throws -> (printed: [UInt8], complained: String) {
            let process = TestProcess()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["timeout", "60"] + arguments
            let (output, errors) = (folder.url.appending(path: "out"), folder.url.appending(path: "err"))
            for file in [output, errors] { try Data().write(to: file) }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = try FileHandle(forWritingTo: output)
            process.standardError = try FileHandle(forWritingTo: errors)
            try process.run()
            process.waitUntilExit()
            let complained = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
            #expect(process.terminationReason == .exit && process.terminationStatus == 0, "\(complained)")
            return ([UInt8](try Data(contentsOf: output)), complained)
        }

        private func rig() throws -> Rig {
            try Rig.forHTTP2(
                answering: { request in
                    guard request.target == "/down" else {
                        return [.answer("\(request.body.count) \(request.body == Pattern.prefix(Self.size))")]
                    }
                    return [.text("HTTP/1.1 200 OK\r\ncontent-length: \(Self.size)\r\n\r\n"), .pattern(Self.size)]
                },
                adjusting: { listener, _ in listener.maximumRequestBody = 1 << 30 })
        }

        @Test(
            "20 MB arrive unchanged in both directions, over TLS and in plaintext", arguments: Tool.installed,
            [true, false])
        func bodies(_ tool: Tool, _ isSecure: Bool) throws {
            let rig = try rig()
            let body = try folder.write("body", Pattern.prefix(Self.size))
            let url = isSecure ? "https://\(rig.secure)" : "http://\(rig.plain)"
            let common: [String]
            switch tool {
            case .curl: common = ["curl", "-sS", "-k", isSecure ? "--http2" : "--http2-prior-knowledge"]
            case .nghttp: common = ["nghttp", "--no-dep"]
            }

            let down = try run(common + ["\(url)/down"])
            #expect(down.printed == Pattern.prefix(Self.size))

            let up = try run(common + (tool == .curl ? ["--data-binary", "@\(body)"] : ["-d", body]) + ["\(url)/up"])
            #expect(String(decoding: up.printed, as: UTF8.self) == "\(Self.size) true")

            // nghttp supports only HTTP/2; curl prints the protocol used.
            if tool == .curl {
                let version = try run(common + ["-o", "/dev/null", "-w", "%{http_version}", "\(url)/down"])
                #expect(String(decoding: version.printed, as: UTF8.self) == "2")
            }
            try rig.expectIdle()
        }
    }
}
