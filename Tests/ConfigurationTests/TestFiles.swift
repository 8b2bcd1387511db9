import Configuration

/// Folders of the repository that tests read.
enum TestFiles {
    static let configs = root + "/configs"
    static let broken = root + "/Tests/ConfigurationTests/broken"

    private static var root: String {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }
}

extension ConfigurationChecks {
    /// No checks of the machine; the environment has two keys.
    static let none = ConfigurationChecks(
        files: false,
        environment: { name in
            switch name {
            case "BERTH_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
            case "SHORT_KEY": "AAECAwQF"
            default: nil
            }
        })
}

/// Decodes a valid text.
func decode(_ text: String) throws -> Configuration {
    try ConfigurationFile.parse(text, file: "berth.toml", checks: .none).get().configuration
}

/// The errors of a text; empty if it is valid.
func errors(in text: String) -> [ConfigurationError] {
    switch ConfigurationFile.parse(text, file: "berth.toml", checks: .none) {
    case .success: []
    case .failure(let failure): failure.errors
    }
}
