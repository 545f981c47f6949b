//! The scripts that ceremonies start from: the steps of each kind, in Japanese and English.

use super::{Ceremony, CeremonyKind, CeremonyRole, Participant, Step, StepAct, Subject};
use crate::authority::AuthorityKind;
use crate::id::CeremonyId;
use crate::organisation::Language;
use crate::policy::Installation;

/// What to do and what to see, for an act.
struct Words {
    instruction: &'static str,
    expect: &'static str,
}

const fn words(instruction: &'static str, expect: &'static str) -> Words {
    Words { instruction, expect }
}

const fn english(act: StepAct) -> Words {
    match act {
        StepAct::RollCall => words(
            "Everybody named here is in the room and shows an identity document.",
            "Each person named has ticked; nobody has two roles.",
        ),
        StepAct::CheckSoftware => words(
            "Read aloud the version of the program and the digest of the policy.",
            "Both are those on the printed sheet.",
        ),
        StepAct::GenerateKey => words(
            "Make the key of the authority.",
            "The fingerprint of the new key, to be written down and read aloud.",
        ),
        StepAct::Certify => words(
            "Sign the certificate of the authority.",
            "The SHA-256 of the certificate and its last day.",
        ),
        StepAct::Activate => words("Put the authority into service.", "Its state is active."),
        StepAct::IssueCrl => words("Sign the first CRL.", "CRL number 1 and its next date."),
        StepAct::CrossCertify => words(
            "Sign the cross-certificates.",
            "The SHA-256 of each, with the names of both authorities.",
        ),
        StepAct::RetireFormer => words(
            "Stop issuing from the former generation; its CRLs and OCSP answers go on.",
            "Its state is retiring.",
        ),
        StepAct::AnswerRequest => words(
            "Read the request bundle, compare its code by voice, sign the answer.",
            "The code of the answer in four groups.",
        ),
        StepAct::LastCrl => words("Sign the last CRL.", "Its next date is 31 December 9999."),
        StepAct::DestroyKey => words(
            "Destroy the key of the authority and every copy in the backup inventory.",
            "The key store has no key of this name any more.",
        ),
        StepAct::WitnessKey => words(
            "The custodian makes the key in the container while everybody watches, and hands over the request that carries the challenge.",
            "The serial number on the device is that of the record; the fingerprint of the key is written down and read aloud.",
        ),
        StepAct::Sign => words(
            "Everybody reads the record and signs it.",
            "Nobody who is named here is missing.",
        ),
        StepAct::ByHand => words(
            "Put the media into numbered bags, seal them and note the numbers.",
            "The numbers on the bags are those in the record.",
        ),
        StepAct::Close => {
            words("Close the record; everybody signs the printed copy.", "The hash of the record.")
        }
    }
}

const fn japanese(act: StepAct) -> Words {
    match act {
        StepAct::RollCall => words(
            "ここに記した全員がそろっていることを、身分証で確かめます。",
            "全員が確認の印を付け、二つの役を兼ねる人がいません。",
        ),
        StepAct::CheckSoftware => words(
            "プログラムの版と方針のダイジェストを読み上げます。",
            "どちらも印刷した用紙と同じです。",
        ),
        StepAct::GenerateKey => words(
            "認証局の鍵を作ります。",
            "新しい鍵の指紋が表示されます。書き取って読み上げます。",
        ),
        StepAct::Certify => {
            words("認証局の証明書に署名します。", "証明書のSHA-256と有効期限が表示されます。")
        }
        StepAct::Activate => words("認証局の運用を始めます。", "状態が「運用中」になります。"),
        StepAct::IssueCrl => {
            words("最初の失効リストに署名します。", "失効リストの番号1と次回更新日が表示されます。")
        }
        StepAct::CrossCertify => words(
            "相互認証証明書に署名します。",
            "それぞれのSHA-256と両方の認証局の名前が表示されます。",
        ),
        StepAct::RetireFormer => words(
            "前の世代からの発行を止めます。失効リストとOCSP応答は続きます。",
            "前の世代の状態が「発行終了」になります。",
        ),
        StepAct::AnswerRequest => words(
            "依頼データを読み、照合番号を声に出して比べ、回答に署名します。",
            "回答の照合番号が四つの組で表示されます。",
        ),
        StepAct::LastCrl => {
            words("最後の失効リストに署名します。", "次回更新日が9999年12月31日です。")
        }
        StepAct::DestroyKey => words(
            "認証局の鍵と、控えの台帳にあるすべての写しを廃棄します。",
            "鍵の保管庫に、この名前の鍵がありません。",
        ),
        StepAct::WitnessKey => words(
            "全員が見ている前で、鍵管理者が容器の中で鍵を作り、チャレンジを入れた要求を渡します。",
            "装置の製造番号が記録と同じです。鍵の指紋を書き取って読み上げます。",
        ),
        StepAct::Sign => {
            words("全員が記録を読み、署名します。", "ここに記した人が全員署名しています。")
        }
        StepAct::ByHand => words(
            "媒体を番号付きの袋に入れて封をし、番号を書き留めます。",
            "袋の番号が記録と同じです。",
        ),
        StepAct::Close => words(
            "記録を閉じます。印刷した写しに全員が署名します。",
            "記録のハッシュ値が表示されます。",
        ),
    }
}

/// What is done here while the issuing key is offline: the certificate comes with its answer.
const OFFLINE_MADE: &[StepAct] = &[
    StepAct::RollCall,
    StepAct::CheckSoftware,
    StepAct::GenerateKey,
    StepAct::ByHand,
    StepAct::Close,
];

/// The acts of a kind, in order.
const fn acts(kind: CeremonyKind, offline: bool) -> &'static [StepAct] {
    use StepAct as A;
    match kind {
        CeremonyKind::RootGeneration | CeremonyKind::IssuingGeneration if !offline => &[
            A::RollCall,
            A::CheckSoftware,
            A::GenerateKey,
            A::Certify,
            A::Activate,
            A::IssueCrl,
            A::ByHand,
            A::Close,
        ],
        CeremonyKind::RootGeneration | CeremonyKind::IssuingGeneration => OFFLINE_MADE,
        CeremonyKind::Rollover if offline => OFFLINE_MADE,
        CeremonyKind::Rollover => &[
            A::RollCall,
            A::CheckSoftware,
            A::GenerateKey,
            A::Certify,
            A::Activate,
            A::IssueCrl,
            A::CrossCertify,
            A::RetireFormer,
            A::ByHand,
            A::Close,
        ],
        CeremonyKind::CrossCertify => &[A::RollCall, A::CheckSoftware, A::CrossCertify, A::Close],
        CeremonyKind::OfflineSign => {
            &[A::RollCall, A::CheckSoftware, A::AnswerRequest, A::ByHand, A::Close]
        }
        CeremonyKind::Destruction => {
            &[A::RollCall, A::CheckSoftware, A::LastCrl, A::DestroyKey, A::ByHand, A::Close]
        }
        CeremonyKind::Activation => &[A::RollCall, A::CheckSoftware, A::Activate, A::Close],
        CeremonyKind::WitnessedKey => {
            &[A::RollCall, A::CheckSoftware, A::WitnessKey, A::Sign, A::Close]
        }
    }
}

const fn doer(act: StepAct) -> CeremonyRole {
    match act {
        StepAct::RollCall
        | StepAct::CheckSoftware
        | StepAct::ByHand
        | StepAct::Sign
        | StepAct::Close => CeremonyRole::Leader,
        StepAct::GenerateKey
        | StepAct::Certify
        | StepAct::Activate
        | StepAct::IssueCrl
        | StepAct::CrossCertify
        | StepAct::RetireFormer
        | StepAct::AnswerRequest
        | StepAct::LastCrl
        | StepAct::DestroyKey
        | StepAct::WitnessKey => CeremonyRole::Officer,
    }
}

/// What a script is made for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Identifier of the ceremony.
    pub id: CeremonyId,
    /// What it is held for.
    pub kind: CeremonyKind,
    /// What it is about.
    pub subject: Subject,
    /// The language of the steps.
    pub language: Language,
    /// For which kind of installation.
    pub installation: Installation,
    /// Who takes part.
    pub roles: Vec<Participant>,
    /// Where the recording is kept.
    pub recording: Option<String>,
    /// Whether the issuing key is offline, so that the certificate comes by bundle.
    pub offline_issuer: OfflineIssuer,
}

/// Where the key is that signs the certificate of a new authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfflineIssuer {
    /// In this installation.
    Here,
    /// Offline.
    Elsewhere,
}

/// The script of a kind.
pub fn script(wish: Wish) -> Ceremony {
    let offline = wish.offline_issuer == OfflineIssuer::Elsewhere;
    let has_officer = wish.roles.iter().any(|p| p.role == CeremonyRole::Officer);
    let steps = (1..).zip(acts(wish.kind, offline)).map(|(number, act)| {
        let words = match wish.language {
            Language::Ja => japanese(*act),
            Language::En => english(*act),
        };
        let who = doer(*act);
        Step {
            number,
            instruction: words.instruction.to_owned(),
            expect: words.expect.to_owned(),
            who: if has_officer { who } else { CeremonyRole::Leader },
            act: *act,
        }
    });
    Ceremony {
        title: title(&wish),
        steps: steps.collect(),
        id: wish.id,
        kind: wish.kind,
        language: wish.language,
        installation: wish.installation,
        recording: wish.recording,
        roles: wish.roles,
        subject: wish.subject,
    }
}

fn title(wish: &Wish) -> String {
    match &wish.subject {
        Subject::Create(new) => format!("{}: {} ({})", wish.kind, new.name, new.code),
        Subject::Rollover { authority, .. } | Subject::Authority { authority } => {
            format!("{}: {authority}", wish.kind)
        }
        Subject::Cross { certified, by } => format!("{}: {by} → {certified}", wish.kind),
        Subject::SealKey { application, .. } => format!("{}: {application}", wish.kind),
    }
}

/// The ceremony that makes an authority of a kind.
pub const fn generation_of(kind: AuthorityKind) -> CeremonyKind {
    match kind {
        AuthorityKind::Root => CeremonyKind::RootGeneration,
        AuthorityKind::Policy | AuthorityKind::Issuing(_) | AuthorityKind::Service(_) => {
            CeremonyKind::IssuingGeneration
        }
    }
}
