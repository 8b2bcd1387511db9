import Foundation
import Import

/// The configurations of others in the folders beside this file, and what is made of them.
enum SampleSources {
    static let folder = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/")

    /// "nginx/01-lesson-sse.conf" and so on.
    static let names: [String] = ["nginx", "haproxy"].flatMap { kind in
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(kind)")) ?? []
        return all.filter { $0.hasSuffix(".conf") || $0.hasSuffix(".cfg") }.sorted().map { "\(kind)/\($0)" }
    }

    static let nginx = names.filter { $0.hasPrefix("nginx/") }
    static let haproxy = names.filter { $0.hasPrefix("haproxy/") }

    static func bytes(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
    }

    /// The name as it is shown, without the folder.
    static func shown(_ name: String) -> String { String(name.split(separator: "/").last ?? "") }

    /// The files beside a source. What is outside the folder is not there, whatever this machine has.
    static func files(of name: String) -> SourceFiles {
        let base = "\(folder)/\(name.split(separator: "/").first ?? "")"
        return SourceFiles(
            read: { path in
                guard !path.hasPrefix("/"), !path.contains("..") else { return nil }
                var isFolder: ObjCBool = false
                let isThere = FileManager.default.fileExists(atPath: "\(base)/\(path)", isDirectory: &isFolder)
                guard isThere, !isFolder.boolValue else { return nil }
                return (try? Data(contentsOf: URL(fileURLWithPath: "\(base)/\(path)"))).map { Array($0) }
            },
            list: { path in
                guard !path.hasPrefix("/"), !path.contains("..") else { return [] }
                return (try? FileManager.default.contentsOfDirectory(atPath: "\(base)/\(path)")) ?? []
            })
    }

    static func imported(_ name: String) throws -> ConfigurationImport {
        try ConfigurationImport(bytes(name), file: shown(name), files: files(of: name))
    }
}

/// Imports a text as nginx's configuration.
func imported(_ text: String, files: [String: String] = [:]) throws -> ConfigurationImport {
    try ConfigurationImport(Array(text.utf8), file: "nginx.conf", format: .nginx, files: .texts(files))
}

/// Imports a text as HAProxy's configuration.
func importedFromHAProxy(_ text: String) throws -> ConfigurationImport {
    try ConfigurationImport(Array(text.utf8), file: "haproxy.cfg", format: .haproxy, files: .none)
}
