import Foundation
import TestSupport

/// The system's gunzip.
enum Gunzip {
    static func run(_ bytes: [UInt8]) throws -> [UInt8] {
        let process = TestProcess()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc"]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(bytes))
        try input.fileHandleForWriting.close()
        let plain = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Array(plain)
    }
}
