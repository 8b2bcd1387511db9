import Foundation
import TestSupport

/// The system's gunzip.
enum Gunzip {
    static func run(_ bytes: [UInt8]) throws -> [UInt8] {
        let process = TestProcess()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc"]
        return Array(try process.runToEnd(input: Data(bytes)))
    }
}
